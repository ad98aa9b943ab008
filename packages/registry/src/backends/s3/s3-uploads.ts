import { randomBytes } from "node:crypto";
import { type Clock, type Digest, isFactoryError } from "@touchmark/core";
import type { UploadBackend } from "../../backend.ts";
import { busyUpload, checkOffset, mismatch, tooLarge, unknownUpload } from "../refusals.ts";
import type { ObjectStorage } from "./object-storage.ts";
import { PartWriter } from "./part-writer.ts";
import type { S3Blobs } from "./s3-blobs.ts";
import type { StorageKeys } from "./storage-keys.ts";

interface Session {
  readonly repository: string;
  readonly writer: PartWriter;
  usedAt: number;
  isBusy: boolean;
}

// What uploads that nobody writes to may hold of memory; beyond it the oldest of them is given up.
const IDLE_BYTES = 128 * 1024 * 1024;
const LARGEST_COPY = 5 * 1024 ** 3;
const COPY_PART = 1024 ** 3;

/** Uploads to an object storage. An upload lives as long as the process that began it: its hash is nowhere else. */
export class S3Uploads implements UploadBackend {
  readonly #storage: ObjectStorage;
  readonly #keys: StorageKeys;
  readonly #blobs: S3Blobs;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();

  constructor(storage: ObjectStorage, keys: StorageKeys, blobs: S3Blobs, clock: Clock) {
    this.#storage = storage;
    this.#keys = keys;
    this.#blobs = blobs;
    this.#clock = clock;
  }

  async begin(repository: string): Promise<string> {
    const id = randomBytes(16).toString("hex");
    const writer = new PartWriter(this.#storage, this.#keys.upload(id));
    this.#sessions.set(id, { repository, writer, usedAt: this.#now(), isBusy: false });
    return id;
  }

  async received(repository: string, id: string): Promise<number | undefined> {
    const session = this.#sessions.get(id);
    return session?.repository === repository ? session.writer.size : undefined;
  }

  append(
    repository: string,
    id: string,
    options: { readonly offset: number | undefined; readonly maxBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    return this.#with(repository, id, async ({ writer }) => {
      checkOffset(options.offset, writer.size);
      for await (const chunk of chunks) {
        if (writer.size + chunk.length > options.maxBytes) {
          await this.#drop(id, writer);
          throw tooLarge(options.maxBytes);
        }
        await writer.write(chunk);
      }
      return writer.size;
    });
  }

  finish(repository: string, id: string, digest: Digest): Promise<{ readonly size: number }> {
    return this.#with(repository, id, async ({ writer }) => {
      const found = writer.digest();
      if (found !== digest) {
        await this.#drop(id, writer);
        throw mismatch(digest, found);
      }
      const { size, hasParts } = writer;
      const content = this.#keys.content(digest);
      // Nobody can take it up where a failure leaves it.
      this.#sessions.delete(id);
      await writer.complete(content).catch((cause: unknown) => {
        // A collection of another process took its parts away for their age.
        throw hasParts && isRefusal(cause) ? unknownUpload() : cause;
      });
      if (hasParts) await this.#move(writer.key, content, size);
      await this.#blobs.link(repository, digest, size);
      return { size };
    });
  }

  async put(
    repository: string,
    digest: Digest,
    maxBytes: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly size: number }> {
    // Its digest is known: the parts go to the place of the blob, which shows nothing before they are whole.
    const content = this.#keys.content(digest);
    const writer = new PartWriter(this.#storage, content);
    try {
      for await (const chunk of chunks) {
        if (writer.size + chunk.length > maxBytes) throw tooLarge(maxBytes);
        await writer.write(chunk);
      }
      const found = writer.digest();
      if (found !== digest) throw mismatch(digest, found);
      await writer.complete(content);
    } catch (cause) {
      await writer.abort().catch(() => undefined);
      throw cause;
    }
    await this.#blobs.link(repository, digest, writer.size);
    return { size: writer.size };
  }

  async cancel(repository: string, id: string): Promise<boolean> {
    if ((await this.received(repository, id)) === undefined) return false;
    return this.#with(repository, id, async ({ writer }) => {
      await this.#drop(id, writer);
      return true;
    });
  }

  /** Gives up what nobody wrote to since the given time, here and from processes that are no more. */
  async dropAbandoned(before: number, dryRun: boolean): Promise<number> {
    const old = [...this.#sessions].filter(([, session]) => !session.isBusy && session.usedAt <= before);
    const mine = new Set([...this.#sessions.values()].map(({ writer }) => writer.key));
    let count = old.length;
    if (!dryRun) for (const [id, { writer }] of old) await this.#drop(id, writer);
    for await (const { key, upload, beganAt } of this.#storage.parts(this.#keys.everything())) {
      if (beganAt > before || mine.has(key)) continue;
      count++;
      if (!dryRun) await this.#storage.abortParts(key, upload);
    }
    for await (const { key, modifiedAt } of this.#storage.list(this.#keys.allUploads())) {
      if (modifiedAt > before || mine.has(key)) continue;
      count++;
      if (!dryRun) await this.#storage.delete(key);
    }
    return count;
  }

  async close(): Promise<void> {
    for (const [id, { writer }] of this.#sessions) await this.#drop(id, writer).catch(() => undefined);
  }

  async #with<T>(repository: string, id: string, work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#sessions.get(id);
    if (session?.repository !== repository) throw unknownUpload();
    if (session.isBusy) throw busyUpload();
    session.isBusy = true;
    try {
      return await work(session);
    } finally {
      session.isBusy = false;
      session.usedAt = this.#now();
      await this.#boundIdle();
    }
  }

  async #boundIdle(): Promise<void> {
    const idle = [...this.#sessions]
      .filter(([, session]) => !session.isBusy)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
    let held = idle.reduce((sum, [, { writer }]) => sum + writer.held, 0);
    for (const [id, { writer }] of idle) {
      if (held <= IDLE_BYTES) return;
      held -= writer.held;
      await this.#drop(id, writer).catch(() => undefined);
    }
  }

  async #drop(id: string, writer: PartWriter): Promise<void> {
    this.#sessions.delete(id);
    await writer.abort();
  }

  async #move(from: string, to: string, size: number): Promise<void> {
    if (size <= LARGEST_COPY) await this.#storage.copy(from, to);
    else {
      const upload = await this.#storage.beginParts(to);
      const tags: string[] = [];
      for (let start = 0; start < size; start += COPY_PART) {
        const range = { start, end: Math.min(size, start + COPY_PART) };
        tags.push(await this.#storage.copyPart(from, range, to, upload, tags.length + 1));
      }
      await this.#storage.completeParts(to, upload, tags);
    }
    await this.#storage.delete(from);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function isRefusal(cause: unknown): boolean {
  return isFactoryError(cause) && cause.code === "REGISTRY_BACKEND_STORAGE_REFUSED";
}
