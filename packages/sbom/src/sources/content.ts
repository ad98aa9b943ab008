import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";

/** Bytes of a file that can be read at any place. */
export interface StoredContent {
  readonly size: number;
  /** Fewer than `length` at the end only. @throws SBOM_SOURCE_UNREADABLE */
  read(offset: number, length: number): Buffer;
}

/** Content in memory. */
export function memoryContent(bytes: Buffer): StoredContent {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, Math.max(offset, offset + length)) };
}

/** Files of the disk that were read last stay open, so that reading in pieces costs one open. */
export class OpenFiles {
  readonly #open = new Map<string, number>();

  read(path: string, shown: string, offset: number, length: number): Buffer {
    try {
      return readAt(this.#descriptor(path), offset, length);
    } catch (cause) {
      throw sourceErrors.make("SBOM_SOURCE_UNREADABLE", `expected to read ${shown}, found: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  #descriptor(path: string): number {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    if (this.#open.size >= 16) {
      const [oldest, descriptor] = this.#open.entries().next().value as [string, number];
      this.#open.delete(oldest);
      closeSync(descriptor);
    }
    // Whatever took the file's place meanwhile: a link is not followed, a pipe not waited for.
    const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    if (!fstatSync(descriptor).isFile()) {
      closeSync(descriptor);
      throw new Error("it is no regular file any more");
    }
    this.#open.set(path, descriptor);
    return descriptor;
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }
}

/** One file for all content that is put aside: written once, front to back, read anywhere. */
export class Scratch {
  readonly #limit: number;
  #directory: string | undefined;
  #descriptor = -1;
  #written = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that can still be put aside. */
  get room(): number {
    return this.#limit - this.#written;
  }

  /** Where the next byte will stand. */
  get position(): number {
    return this.#written;
  }

  write(bytes: Uint8Array): void {
    if (this.#directory === undefined) {
      this.#directory = mkdtempSync(join(tmpdir(), "touchmark-scan-"));
      this.#descriptor = openSync(join(this.#directory, "content"), "wx+", 0o600);
    }
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#written + done);
    }
    this.#written += bytes.length;
  }

  content(start: number, size: number): StoredContent {
    return {
      size,
      read: (offset, length) => readAt(this.#descriptor, start + offset, Math.max(0, Math.min(length, size - offset))),
    };
  }

  close(): void {
    if (this.#directory === undefined) return;
    closeSync(this.#descriptor);
    rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }
}

function readAt(descriptor: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Math.max(0, length));
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, buffer, filled, length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled === length ? buffer : buffer.subarray(0, filled);
}

/** What the system says of a failure, without the path of this machine. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}
