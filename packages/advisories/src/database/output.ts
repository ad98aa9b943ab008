import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import type { Digest } from "@touchmark/core";

/** A file that is written from its beginning to its end, in large pieces, and hashed on the way. */
export class Output {
  readonly path: string;
  readonly #descriptor: number;
  readonly #hash = createHash("sha256");
  readonly #chunk = Buffer.allocUnsafe(1 << 20);
  #filled = 0;
  #position = 0;
  #part = createHash("sha256");

  /** The file must not exist. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, "wx+", 0o600);
  }

  /** Bytes so far. */
  get position(): number {
    return this.#position;
  }

  write(bytes: Uint8Array): void {
    this.#part.update(bytes);
    this.#position += bytes.length;
    if (this.#filled + bytes.length > this.#chunk.length) this.#flush();
    if (bytes.length > this.#chunk.length) this.#send(bytes);
    else {
      this.#chunk.set(bytes, this.#filled);
      this.#filled += bytes.length;
    }
  }

  /** SHA-256 of what was written since this was last asked. */
  partDigest(): Digest {
    const digest: Digest = `sha256:${this.#part.digest("hex")}`;
    this.#part = createHash("sha256");
    return digest;
  }

  /** Makes the file durable and closes it. SHA-256 of all of it. */
  finish(): Digest {
    this.#flush();
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    return `sha256:${this.#hash.digest("hex")}`;
  }

  /** Closes and deletes the file. */
  abandon(): void {
    try {
      closeSync(this.#descriptor);
    } catch {
      // Closed already, by a finish whose caller failed later.
    }
    rmSync(this.path, { force: true });
  }

  #flush(): void {
    if (this.#filled > 0) this.#send(this.#chunk.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #send(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done);
  }
}
