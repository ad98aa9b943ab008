import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sourceErrors } from "./errors.ts";

/** Bytes of a file that can be read at any place. */
export interface StoredContent {
  readonly size: number;
  /** Fewer than `length` at the end only. @throws SBOM_SOURCE_UNREADABLE */
  read(offset: number, length: number): Buffer;
  /** Fills a buffer with what stands from `offset`; answers how many bytes there were. @throws SBOM_SOURCE_UNREADABLE */
  fill(buffer: Uint8Array, offset: number): number;
}

/** Content in memory. */
export function memoryContent(bytes: Buffer): StoredContent {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, Math.max(offset, offset + length)),
    fill: (buffer, offset) => {
      const piece = bytes.subarray(offset, offset + buffer.length);
      buffer.set(piece);
      return piece.length;
    },
  };
}

/** Files of the disk that were read last stay open, so that reading in pieces costs one open. */
export class OpenFiles {
  readonly #open = new Map<string, number>();

  /** A file by its path on this machine; `shown` is its name in errors. */
  content(path: string, shown: string, size: number): StoredContent {
    return {
      size,
      read: (offset, length) => readAt(length, (buffer) => this.#fill(path, shown, buffer, offset)),
      fill: (buffer, offset) => this.#fill(path, shown, buffer, offset),
    };
  }

  #fill(path: string, shown: string, buffer: Uint8Array, offset: number): number {
    try {
      return fillAt(this.#descriptor(path), buffer, offset);
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
    const fill = (buffer: Uint8Array, offset: number) =>
      fillAt(this.#descriptor, buffer.subarray(0, Math.max(0, size - offset)), start + offset);
    return { size, fill, read: (offset, length) => readAt(length, (buffer) => fill(buffer, offset)) };
  }

  close(): void {
    if (this.#directory === undefined) return;
    closeSync(this.#descriptor);
    rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }
}

function readAt(length: number, fill: (buffer: Uint8Array) => number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Math.max(0, length));
  const filled = fill(buffer);
  return filled === length ? buffer : buffer.subarray(0, filled);
}

function fillAt(descriptor: number, buffer: Uint8Array, offset: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = readSync(descriptor, buffer, filled, buffer.length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** What the system says of a failure, without the path of this machine. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}
