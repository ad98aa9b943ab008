import { createHash } from "node:crypto";
import type { Clock, Digest } from "@touchmark/core";
import type { BlobBackend, BlobRead } from "../../backend.ts";
import { registryBackendErrors } from "../errors.ts";
import { checkRange, corruptContent } from "../refusals.ts";
import type { CollectionSign } from "./collection-sign.ts";
import type { ObjectStorage } from "./object-storage.ts";
import type { StorageKeys } from "./storage-keys.ts";
import { type BlobRecord, blobRecord, parseBlobRecord } from "./storage-records.ts";

/** Blobs as objects, with one small object for each repository that has one. */
export class S3Blobs implements BlobBackend {
  readonly #storage: ObjectStorage;
  readonly #keys: StorageKeys;
  readonly #sign: CollectionSign;
  readonly #clock: Clock;

  constructor(storage: ObjectStorage, keys: StorageKeys, sign: CollectionSign, clock: Clock) {
    this.#storage = storage;
    this.#keys = keys;
    this.#sign = sign;
    this.#clock = clock;
  }

  async open(repository: string, digest: Digest): Promise<BlobRead | undefined> {
    const key = this.#keys.content(digest);
    const [record, there] = await Promise.all([this.record(repository, digest), this.#storage.size(key)]);
    // What is lost is not there, so that clients push it again; the check tells.
    if (record === undefined || there === undefined) return undefined;
    const { size } = record;
    return {
      size,
      stream: (range) => {
        const { start, end } = checkRange(range, size);
        const isWhole = start === 0 && end === size;
        return this.#stream(digest, isWhole ? undefined : { start, end }, end - start);
      },
    };
  }

  async mount(digest: Digest, from: string, to: string): Promise<boolean> {
    const record = await this.record(from, digest);
    if (record === undefined || (await this.#storage.size(this.#keys.content(digest))) === undefined) return false;
    await this.link(to, digest, record.size);
    return true;
  }

  async delete(repository: string, digest: Digest): Promise<boolean> {
    const key = this.#keys.blob(repository, digest);
    if ((await this.#storage.size(key)) === undefined) return false;
    await this.#storage.delete(key);
    return true;
  }

  /** What is known of a blob of a repository. */
  async record(repository: string, digest: Digest): Promise<BlobRecord | undefined> {
    const key = this.#keys.blob(repository, digest);
    const found = await this.#storage.get(key);
    return found === undefined ? undefined : parseBlobRecord(found.bytes, key);
  }

  /** Gives a repository a blob whose content is there. @throws REGISTRY_BACKEND_COLLECTED */
  async link(repository: string, digest: Digest, size: number): Promise<void> {
    const record = blobRecord({ size, linkedAt: this.#clock.now().getTime() });
    await this.#storage.put(this.#keys.blob(repository, digest), record);
    await this.#sign.check([digest]);
  }

  async *#stream(
    digest: Digest,
    range: { readonly start: number; readonly end: number } | undefined,
    expected: number,
  ): AsyncGenerator<Uint8Array> {
    if (expected === 0 && range !== undefined) return;
    const body = await this.#storage.open(this.#keys.content(digest), range);
    if (body === undefined) throw corruptContent(digest, "nothing, or less than its size");
    const hash = createHash("sha256");
    let held: Uint8Array | undefined;
    let count = 0;
    for await (const chunk of guardedBody(body)) {
      count += chunk.length;
      if (count > expected) throw corruptContent(digest, "more bytes");
      if (range === undefined) hash.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    const isSound = range === undefined ? `sha256:${hash.digest("hex")}` === digest : count === expected;
    if (!isSound) throw corruptContent(digest, "other bytes");
    if (held !== undefined) yield held;
  }
}

/** A body that breaks off is the storage's failure, not a corrupt blob. */
async function* guardedBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw registryBackendErrors.make(
      "REGISTRY_BACKEND_STORAGE_UNAVAILABLE",
      "expected the whole of an object, found that its transfer broke off",
      { cause },
    );
  }
}
