import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Digest } from "@touchmark/core";
import { type FileContentStore, guarded, isAbsent } from "@touchmark/store";
import type { BlobBackend, BlobRead } from "../../backend.ts";
import { checkRange, corruptContent } from "../refusals.ts";
import type { RegistryDatabase } from "./registry-database.ts";
import { repositoryId } from "./repository-rows.ts";

const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CHUNK_BYTES = 256 * 1024;
// One call each is faster than asking the thread pool; more than that would keep others waiting.
const AT_ONCE_BYTES = 256 * 1024;

/** Blobs as files of the content store, with one row for each repository that has one. */
export class FileBlobs implements BlobBackend {
  readonly #database: RegistryDatabase;
  readonly #content: FileContentStore;
  readonly #now: () => number;

  constructor(database: RegistryDatabase, content: FileContentStore, now: () => number) {
    this.#database = database;
    this.#content = content;
    this.#now = now;
  }

  async open(repository: string, digest: Digest): Promise<BlobRead | undefined> {
    const size = this.size(repository, digest);
    // What is lost is not there, so that clients push it again; the check tells.
    if (size === undefined || lstatSync(this.#content.path(digest), { throwIfNoEntry: false }) === undefined) {
      return undefined;
    }
    return {
      size,
      stream: (range) => {
        const { start, end } = checkRange(range, size);
        const isWhole = start === 0 && end === size;
        if (isWhole && size <= AT_ONCE_BYTES) return this.#whole(digest, size);
        return this.#stream(digest, size, start, end, isWhole);
      },
    };
  }

  async mount(digest: Digest, from: string, to: string): Promise<boolean> {
    if (!(await this.#content.has(digest))) return false;
    return this.#database.write(() => {
      const size = this.size(from, digest);
      if (size === undefined) return false;
      this.link(to, digest, size);
      return true;
    });
  }

  delete(repository: string, digest: Digest): Promise<boolean> {
    return this.#database.write(() => {
      const id = repositoryId(this.#database, repository);
      if (id === undefined) return false;
      return this.#database.run("DELETE FROM blobs WHERE repository = ? AND digest = ?", id, digest) > 0;
    });
  }

  /** Size of a blob that a repository has. */
  size(repository: string, digest: Digest): number | undefined {
    const row = this.#database.get(
      "SELECT size FROM blobs WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ?",
      repository,
      digest,
    );
    return row === undefined ? undefined : Number(row["size"]);
  }

  /** Gives a repository a blob; inside a write. */
  link(repository: string, digest: Digest, size: number): void {
    const id = repositoryId(this.#database, repository, true);
    this.#database.run(
      `INSERT INTO blobs VALUES (?, ?, ?, ?)
       ON CONFLICT (repository, digest) DO UPDATE SET size = excluded.size, linked_at = excluded.linked_at`,
      id,
      digest,
      size,
      this.#now(),
    );
    this.#database.run("DELETE FROM collected WHERE repository = ? AND digest = ?", id, digest);
  }

  async *#whole(digest: Digest, size: number): AsyncGenerator<Uint8Array> {
    const bytes = await guarded("reading a blob", () => {
      const descriptor = this.#openNow(digest);
      try {
        // One byte more shows a file that is too long.
        const buffer = Buffer.allocUnsafe(size + 1);
        const count = fstatSync(descriptor).isFile() ? readSync(descriptor, buffer, 0, size + 1, 0) : 0;
        return buffer.subarray(0, count);
      } finally {
        closeSync(descriptor);
      }
    });
    if (`sha256:${hash("sha256", bytes)}` !== digest) throw this.#refuse(digest);
    if (size > 0) yield bytes;
  }

  async *#stream(
    digest: Digest,
    size: number,
    start: number,
    end: number,
    isWhole: boolean,
  ): AsyncGenerator<Uint8Array> {
    const handle = await guarded("reading a blob", () => this.#open(digest));
    let ahead: Promise<Buffer> | undefined;
    try {
      const stat = await handle.stat();
      if (!stat.isFile() || stat.size !== size) throw this.#refuse(digest);
      const digestOf = createHash("sha256");
      let held: Buffer | undefined;
      ahead = readChunk(handle, start, end);
      for (let at = start; at < end; ) {
        const chunk = await guarded("reading a blob", () => ahead as Promise<Buffer>);
        if (chunk.length === 0) throw this.#refuse(digest);
        at += chunk.length;
        // The next chunk is read while this one is hashed and sent.
        ahead = at < end ? readChunk(handle, at, end) : undefined;
        if (isWhole) digestOf.update(chunk);
        if (held !== undefined) yield held;
        held = chunk;
      }
      if (isWhole && `sha256:${digestOf.digest("hex")}` !== digest) throw this.#refuse(digest);
      if (held !== undefined) yield held;
    } finally {
      await ahead?.catch(() => undefined);
      await handle.close();
    }
  }

  #openNow(digest: Digest): number {
    try {
      return openSync(this.#content.path(digest), constants.O_RDONLY | NO_FOLLOW);
    } catch (cause) {
      throw this.#notOpened(digest, cause);
    }
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#content.path(digest), constants.O_RDONLY | NO_FOLLOW);
    } catch (cause) {
      throw this.#notOpened(digest, cause);
    }
  }

  #notOpened(digest: Digest, cause: unknown): unknown {
    if (isAbsent(cause)) return corruptContent(digest, "nothing", cause);
    // A link where a file belongs.
    return (cause as { code?: string }).code === "ELOOP" ? this.#refuse(digest) : cause;
  }

  #refuse(digest: Digest): Error {
    this.#content.quarantine(digest);
    return corruptContent(digest, "other bytes, which were moved into quarantine");
  }
}

async function readChunk(handle: FileHandle, at: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - at));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
  return buffer.subarray(0, bytesRead);
}
