import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { type Clock, type Digest, isFactoryError } from "@touchmark/core";
import { asStoreError, guarded, isAbsent } from "@touchmark/store";
import type { UploadBackend } from "../../backend.ts";
import { busyUpload, checkOffset, mismatch, tooLarge, unknownUpload } from "../refusals.ts";
import { HashedFile } from "./hashed-file.ts";
import { isUploadId, type UploadFiles } from "./upload-files.ts";

interface Session {
  readonly repository: string;
  readonly file: HashedFile;
}

const MOST_FRESH = 64;

/** What becomes of a file whose bytes have the digest: it is moved into the store and linked in the repository. */
export type PublishFile = (repository: string, file: string, blob: { digest: Digest; size: number }) => Promise<void>;

/** Uploads as files. Their hash is kept while this process lives; another process that takes one over reads it again. */
export class FileUploads implements UploadBackend {
  readonly #files: UploadFiles;
  readonly #publish: PublishFile;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();
  /** Ids that somebody works on. */
  readonly #claimed = new Set<string>();
  /** Files of uploads that have just begun: still open, since their first bytes come soon. */
  readonly #fresh = new Set<HashedFile>();
  /** Files of blobs that come in one go. */
  readonly #passing = new Set<string>();

  constructor(files: UploadFiles, publish: PublishFile, clock: Clock) {
    this.#files = files;
    this.#publish = publish;
    this.#clock = clock;
  }

  begin(repository: string): Promise<string> {
    return guarded("beginning an upload", async () => {
      const id = randomBytes(16).toString("hex");
      const file = HashedFile.create(await this.#files.path(repository, id));
      this.#sessions.set(id, { repository, file });
      this.#keepOpen(file);
      return id;
    });
  }

  async received(repository: string, id: string): Promise<number | undefined> {
    if (!isUploadId(id)) return undefined;
    const session = this.#sessions.get(id);
    if (session === undefined) return guarded("looking for an upload", () => this.#files.size(repository, id));
    return session.repository === repository ? session.file.size : undefined;
  }

  append(
    repository: string,
    id: string,
    options: { readonly offset: number | undefined; readonly maxBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    return this.#with(repository, id, async (file) => {
      checkOffset(options.offset, file.size);
      try {
        if (!(await fill(file, options.maxBytes, chunks))) {
          this.#forget(id, file);
          throw tooLarge(options.maxBytes);
        }
      } finally {
        file.rest(this.#clock.now());
      }
      return file.size;
    });
  }

  finish(repository: string, id: string, digest: Digest): Promise<{ readonly size: number }> {
    return this.#with(repository, id, async (file) => {
      const found = file.digest();
      if (found !== digest) {
        this.#forget(id, file);
        throw mismatch(digest, found);
      }
      const { size } = file;
      file.rest();
      await this.#publish(repository, file.path, { digest, size });
      this.#sessions.delete(id);
      return { size };
    });
  }

  async put(
    repository: string,
    digest: Digest,
    maxBytes: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly size: number }> {
    const path = await this.#files.path(repository, randomBytes(16).toString("hex"));
    const file = await guarded("storing a blob", () => HashedFile.create(path));
    this.#passing.add(path);
    try {
      if (!(await fill(file, maxBytes, chunks))) throw tooLarge(maxBytes);
      const found = file.digest();
      if (found !== digest) throw mismatch(digest, found);
      file.rest();
      await this.#publish(repository, file.path, { digest, size: file.size });
      return { size: file.size };
    } catch (cause) {
      file.delete();
      // A collection of another process deleted it for its age.
      throw isGone(cause) ? unknownUpload() : cause;
    } finally {
      this.#passing.delete(path);
    }
  }

  async cancel(repository: string, id: string): Promise<boolean> {
    if ((await this.received(repository, id)) === undefined) return false;
    return this.#with(repository, id, async (file) => {
      this.#forget(id, file);
      return true;
    });
  }

  /** Deletes uploads that nobody wrote to since the given time, or only counts them. */
  async dropAbandoned(before: number, dryRun: boolean): Promise<number> {
    const paths = new Set((await this.#files.abandoned(before)).filter((path) => !this.#passing.has(path)));
    for (const [id, { file }] of this.#sessions) {
      if (!paths.has(file.path)) continue;
      // Its writer may be slow, and is there.
      if (this.#claimed.has(id)) paths.delete(file.path);
      else if (!dryRun) this.#forget(id, file);
    }
    if (!dryRun) for (const path of paths) rmSync(path, { force: true });
    return paths.size;
  }

  async close(): Promise<void> {
    for (const { file } of this.#sessions.values()) file.rest();
    this.#sessions.clear();
    await this.#files.close();
  }

  /** Works on an upload that nobody else works on meanwhile. @throws REGISTRY_UPLOAD_UNKNOWN | REGISTRY_UPLOAD_BUSY */
  async #with<T>(repository: string, id: string, work: (file: HashedFile) => Promise<T>): Promise<T> {
    if (!isUploadId(id)) throw unknownUpload();
    const known = this.#sessions.get(id);
    if (known !== undefined && known.repository !== repository) throw unknownUpload();
    if (this.#claimed.has(id)) throw busyUpload();
    this.#claimed.add(id);
    if (known !== undefined) this.#fresh.delete(known.file);
    try {
      return await work((known ?? (await this.#takeOver(repository, id))).file);
    } catch (cause) {
      // A collection deleted it for its age.
      if (!isGone(cause)) throw cause;
      this.#sessions.delete(id);
      throw unknownUpload();
    } finally {
      this.#claimed.delete(id);
    }
  }

  async #takeOver(repository: string, id: string): Promise<Session> {
    return guarded("taking over an upload", async () => {
      const whose = await this.#files.takeOver(repository, id);
      if (whose === "none") throw unknownUpload();
      if (whose === "busy") throw busyUpload();
      const file = await HashedFile.reopen(await this.#files.path(repository, id));
      file.rest();
      const session = { repository, file };
      this.#sessions.set(id, session);
      return session;
    });
  }

  #keepOpen(file: HashedFile): void {
    file.stamp(this.#clock.now());
    this.#fresh.add(file);
    const [oldest] = this.#fresh;
    if (this.#fresh.size <= MOST_FRESH || oldest === undefined) return;
    this.#fresh.delete(oldest);
    oldest.rest();
  }

  #forget(id: string, file: HashedFile): void {
    this.#sessions.delete(id);
    file.delete();
  }
}

/** Writes what comes; false when it is too much. */
async function fill(file: HashedFile, maxBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const chunk of chunks) {
    if (file.size + chunk.length > maxBytes) return false;
    try {
      file.write(chunk);
    } catch (cause) {
      throw asStoreError(cause, "writing an upload");
    }
  }
  return true;
}

function isGone(cause: unknown): boolean {
  return isFactoryError(cause) && isAbsent(cause.cause);
}
