import { createHash, type Hash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import type { ObjectStorage } from "./object-storage.ts";

// Within what object storages take as a part (5 MiB to 5 GiB, 10,000 of them): blobs up to 78 GiB.
export const PART_BYTES = 8 * 1024 * 1024;

/** Content on its way to one object, hashed while it streams; never more than two parts of it are in memory. */
export class PartWriter {
  readonly key: string;
  readonly #storage: ObjectStorage;
  readonly #hash: Hash = createHash("sha256");
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #size = 0;
  #upload: string | undefined;
  #tags: Promise<string>[] = [];

  constructor(storage: ObjectStorage, key: string) {
    this.#storage = storage;
    this.key = key;
  }

  /** Bytes that came. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that are in memory. */
  get held(): number {
    return this.#waitingBytes;
  }

  /** True when some of it is in the object storage already. */
  get hasParts(): boolean {
    return this.#upload !== undefined;
  }

  digest(): Digest {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    // A copy, since the caller may use its buffer again, in pieces that end where parts end.
    for (let at = 0; at < chunk.length; ) {
      const piece = Uint8Array.from(chunk.subarray(at, at + PART_BYTES - this.#waitingBytes));
      this.#waiting.push(piece);
      this.#waitingBytes += piece.length;
      at += piece.length;
      if (this.#waitingBytes === PART_BYTES) await this.#send();
    }
  }

  /** Makes the object, whole and in one step: at its own key, or at `small` when it never filled a part. */
  async complete(small: string): Promise<void> {
    if (this.#upload === undefined) {
      await this.#storage.put(small, this.#take());
      return;
    }
    if (this.#waitingBytes > 0) await this.#send();
    await this.#storage.completeParts(this.key, this.#upload, await Promise.all(this.#tags));
    this.#upload = undefined;
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    this.#take();
    await Promise.allSettled(this.#tags);
    if (this.#upload !== undefined) await this.#storage.abortParts(this.key, this.#upload);
    this.#upload = undefined;
  }

  async #send(): Promise<void> {
    this.#upload ??= await this.#storage.beginParts(this.key);
    // One part is sent while the next one fills.
    await this.#tags.at(-1);
    const sent = this.#storage.putPart(this.key, this.#upload, this.#tags.length + 1, this.#take());
    // Its failure is heard of at the next part or at the end.
    sent.catch(() => undefined);
    this.#tags.push(sent);
  }

  #take(): Uint8Array {
    const body = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return body;
  }
}
