import { unpackErrors } from "./errors.ts";
import type { SparsePiece } from "./layer-entry.ts";
import { decimal } from "./pax.ts";

/**
 * Refuses a map that is not in order, overlaps, leaves the file, or does not account for the bytes that are stored.
 * @throws UNPACK_SPARSE_INVALID
 */
export function checkPieces(pieces: readonly SparsePiece[], realSize: number, stored: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of pieces) {
    if (offset < end || offset + length > realSize) {
      throw unpackErrors.make("UNPACK_SPARSE_INVALID", "expected pieces in order within the file, found one elsewhere");
    }
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) {
    throw unpackErrors.make("UNPACK_SPARSE_INVALID", `expected pieces of ${stored} bytes, found ${sum}`);
  }
}

/** Reads the map in front of the content of GNU's sparse format 1.0: decimal lines, filled up to a record. */
export class SparseMapReader {
  readonly #most: number;
  readonly #numbers: number[] = [];
  #line = "";

  constructor(most: number) {
    this.#most = most;
  }

  get pieces(): SparsePiece[] {
    const pieces: SparsePiece[] = [];
    for (let i = 1; i + 1 < this.#numbers.length; i += 2) {
      pieces.push({ offset: this.#numbers[i] as number, length: this.#numbers[i + 1] as number });
    }
    return pieces;
  }

  /** Takes a record; true when it was the last of the map. @throws UNPACK_SPARSE_INVALID */
  take(record: Buffer): boolean {
    const text = record.toString("latin1");
    for (let at = 0; at < text.length; at++) {
      const character = text[at] as string;
      if (character !== "\n") {
        this.#line += character;
        if (this.#line.length > 16) throw malformed();
        continue;
      }
      if (!/^[0-9]+$/.test(this.#line)) throw malformed();
      this.#numbers.push(decimal(Buffer.from(this.#line, "latin1"), "number"));
      this.#line = "";
      const count = this.#numbers[0] as number;
      if (count > this.#most) throw malformed();
      if (this.#numbers.length === 1 + 2 * count) {
        if (/[^\0]/.test(text.slice(at + 1))) throw malformed();
        return true;
      }
    }
    return false;
  }
}

function malformed(): Error {
  return unpackErrors.make(
    "UNPACK_SPARSE_INVALID",
    "expected the map of a sparse file in decimal lines, found no such",
  );
}
