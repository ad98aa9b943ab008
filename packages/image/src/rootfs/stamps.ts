import { lstatSync, type Stats } from "node:fs";
import { sha256Bytes } from "@touchmark/core";
import type { ListedEntry } from "../unpack/tree-listing.ts";

/** What the system keeps beside the content: when it differs, the content is read again. */
const fields = 4;
/** A change this soon after the stamps were taken may bear the same time as they do. */
const racyMs = 50;

/**
 * Stamps of every entry, in the order of its listing: inode, size, modification and change time. A program can set the
 * modification time back, and not the change time, which is the kernel's.
 */
export function takeStamps(root: string, entries: readonly ListedEntry[]): Uint8Array {
  const numbers = new Float64Array(entries.length * fields + 1);
  const started = Date.now();
  for (const [index, { path }] of entries.entries()) {
    const stat = lstatSync(path === "" ? root : `${root}/${path}`);
    numbers.set([stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs], index * fields + 1);
  }
  numbers[0] = started;
  const bytes = new Uint8Array(numbers.buffer);
  return Buffer.concat([sha256Bytes(bytes), bytes]);
}

/** Stamps as they were written down; undefined when they are damaged, or of another listing. */
export class Stamps {
  readonly #numbers: Float64Array;

  private constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  static read(bytes: Uint8Array | undefined, entries: number): Stamps | undefined {
    if (bytes === undefined || bytes.length !== 32 + (entries * fields + 1) * 8) return undefined;
    // A copy, since numbers must begin at a multiple of eight bytes; the slice of a Buffer is none.
    const body = new Uint8Array(bytes.subarray(32));
    if (!Buffer.from(sha256Bytes(body)).equals(bytes.subarray(0, 32))) return undefined;
    return new Stamps(new Float64Array(body.buffer));
  }

  /** True when nothing was done to the entry since, as far as the kernel knows. */
  holds(index: number, stat: Stats): boolean {
    const at = index * fields + 1;
    const numbers = this.#numbers;
    const taken = numbers[0] as number;
    return (
      numbers[at] === stat.ino &&
      numbers[at + 1] === stat.size &&
      numbers[at + 2] === stat.mtimeMs &&
      numbers[at + 3] === stat.ctimeMs &&
      stat.ctimeMs < taken - racyMs
    );
  }
}
