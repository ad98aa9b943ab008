import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import type { Digest } from "@touchmark/core";

const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CHUNK_BYTES = 1024 * 1024;
// The disk begins with a large upload while it still comes in, so that its end need not wait for all of it.
const EARLY_FLUSH_BYTES = 32 * 1024 * 1024;

/** A file of ours that is written by nobody else, and hashed while it is written. */
export class HashedFile {
  readonly path: string;
  readonly #hash: Hash = createHash("sha256");
  #size = 0;
  #flushedAt = 0;
  #isFlushing = false;
  #isResting = false;
  #descriptor: number | undefined;

  private constructor(path: string, flags: number) {
    this.path = path;
    this.#descriptor = openSync(path, flags | constants.O_RDWR | NO_FOLLOW, 0o600);
  }

  /** A new, empty file. */
  static create(path: string): HashedFile {
    return new HashedFile(path, constants.O_CREAT | constants.O_EXCL);
  }

  /** A file that an earlier process began: what is there is hashed again. */
  static async reopen(path: string): Promise<HashedFile> {
    const file = new HashedFile(path, 0);
    try {
      await file.#hashAll();
      return file;
    } catch (cause) {
      file.rest();
      throw cause;
    }
  }

  /** Bytes that were written. */
  get size(): number {
    return this.#size;
  }

  /** Digest of what was written so far. */
  digest(): Digest {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  write(bytes: Uint8Array): void {
    this.#isResting = false;
    this.#descriptor ??= openSync(this.path, constants.O_RDWR | NO_FOLLOW);
    const descriptor = this.#descriptor;
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, this.#size + done);
      }
    } catch (cause) {
      // What is not counted must not be there: the disk became full in the middle of it.
      ftruncateSync(descriptor, this.#size);
      throw cause;
    }
    this.#hash.update(bytes);
    this.#size += bytes.length;
    if (!this.#isFlushing && this.#size - this.#flushedAt >= EARLY_FLUSH_BYTES) this.#flushEarly(descriptor);
  }

  /** Sets when it was last used, for collection by age. */
  stamp(at: Date): void {
    // The file system's own time is right, unless the registry has another clock.
    if (this.#descriptor === undefined || Math.abs(at.getTime() - Date.now()) <= 1000) return;
    futimesSync(this.#descriptor, at, at);
  }

  /** Lets go of the descriptor; the next write takes it again. `at`: when it was last used. */
  rest(at?: Date): void {
    if (at !== undefined) this.stamp(at);
    this.#isResting = true;
    if (this.#isFlushing || this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  delete(): void {
    this.rest();
    rmSync(this.path, { force: true });
  }

  #flushEarly(descriptor: number): void {
    this.#isFlushing = true;
    this.#flushedAt = this.#size;
    // Whether it fails is of no matter here: the flush before publication reports it.
    fdatasync(descriptor, () => {
      this.#isFlushing = false;
      if (this.#isResting) this.rest();
    });
  }

  async #hashAll(): Promise<void> {
    const descriptor = this.#descriptor as number;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let left = fstatSync(descriptor).size; left > 0; ) {
      const count = readSync(descriptor, chunk, 0, Math.min(left, chunk.length), this.#size);
      if (count === 0) break;
      this.#hash.update(chunk.subarray(0, count));
      this.#size += count;
      left -= count;
      // Others are served meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
