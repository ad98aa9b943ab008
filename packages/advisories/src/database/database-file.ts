import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import { advisoryDatabaseErrors } from "./errors.ts";
import { type Footer, magic, malformed, parseFooter, type SourcePart, trailerBytes } from "./footer.ts";
import { rowLetters } from "./row.ts";

/** Longest row: an advisory about every package of a distribution stays below. */
export const longestRow = 16 << 20;

const rowHead = 5;

/** One row as it lies in the file. */
export interface StoredRow {
  readonly kind: keyof typeof rowLetters;
  readonly bytes: Buffer;
}

const kinds = new Map(
  Object.entries(rowLetters).map(([kind, letter]) => [letter.charCodeAt(0), kind as StoredRow["kind"]]),
);

/** A whole compiled database, open: every byte of it was hashed before anything of it is believed. */
export interface DatabaseFile {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly footer: Footer;
  /** Bytes at a place. @throws ADVISORY_DATABASE_MALFORMED */
  read(offset: number, length: number): Buffer;
  /** The row at an offset. @throws ADVISORY_DATABASE_MALFORMED */
  row(offset: number): StoredRow;
  /** Rows of a source, in order of their names. @throws ADVISORY_DATABASE_MALFORMED */
  rows(source: SourcePart): Generator<StoredRow>;
  close(): void;
}

/**
 * Opens a database file and hashes it.
 * @throws ADVISORY_DATABASE_MISSING | ADVISORY_DATABASE_MALFORMED | ADVISORY_DATABASE_DIGEST
 */
export function openDatabaseFile(path: string, expected?: Digest): DatabaseFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    throw advisoryDatabaseErrors.make("ADVISORY_DATABASE_MISSING", `expected an advisory database at ${path}`, {
      cause,
    });
  }
  try {
    return readWhole(descriptor, path, expected);
  } catch (cause) {
    closeSync(descriptor);
    throw cause;
  }
}

function readWhole(descriptor: number, path: string, expected: Digest | undefined): DatabaseFile {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) return malformed(`a file at ${path}`);
  const bytes = stat.size;
  const digest = hashWhole(descriptor, bytes);
  if (expected !== undefined && digest !== expected) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_DATABASE_DIGEST",
      `expected the database ${expected}, found ${digest} at ${path}`,
    );
  }
  if (bytes < magic.length + trailerBytes) return malformed("a whole database");
  const end = bytes - trailerBytes;
  const read = (offset: number, length: number): Buffer => {
    if (offset < 0 || length < 0 || offset + length > bytes) return malformed("a place inside of the file");
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const count = readSync(descriptor, buffer, done, length - done, offset + done);
      if (count === 0) return malformed("as many bytes as before");
      done += count;
    }
    return buffer;
  };
  const trailer = read(end, trailerBytes);
  if (!read(0, magic.length).equals(magic) || !trailer.subarray(12).equals(magic)) {
    return malformed("a database of this version");
  }
  const footerOffset = Number(trailer.readBigUInt64LE(0));
  const footerLength = trailer.readUInt32LE(8);
  if (footerOffset + footerLength !== end) return malformed("a footer at the end");
  const footer = parseFooter(read(footerOffset, footerLength), footerOffset);
  const rowIn = (head: Buffer, offset: number, limit: number): { kind: StoredRow["kind"]; length: number } => {
    const length = head.readUInt32LE(0);
    const kind = kinds.get(head[4] ?? 0);
    if (kind === undefined || length > longestRow || offset + rowHead + length > limit) return malformed("a whole row");
    return { kind, length };
  };
  return {
    path,
    digest,
    bytes,
    footer,
    read,
    row: (offset) => {
      // Most rows are shorter than this: one call reads them.
      const guess = read(offset, Math.min(2048, footerOffset - offset));
      if (guess.length < rowHead) return malformed("a whole row");
      const { kind, length } = rowIn(guess, offset, footerOffset);
      const isWhole = rowHead + length <= guess.length;
      return { kind, bytes: isWhole ? guess.subarray(rowHead, rowHead + length) : read(offset + rowHead, length) };
    },
    rows: function* ({ region }) {
      const limit = region.offset + region.length;
      let chunk: Buffer = Buffer.alloc(0);
      let start = region.offset;
      for (let at = region.offset; at < limit; ) {
        const have = (length: number): boolean => at + length <= start + chunk.length;
        const fill = (length: number): void => {
          if (have(length)) return;
          chunk = read(at, Math.min(Math.max(length, 1 << 20), limit - at));
          start = at;
          if (!have(length)) malformed("whole rows");
        };
        fill(rowHead);
        const { kind, length } = rowIn(chunk.subarray(at - start, at - start + rowHead), at, limit);
        fill(rowHead + length);
        const from = at - start + rowHead;
        yield { kind, bytes: chunk.subarray(from, from + length) };
        at += rowHead + length;
      }
    },
    close: () => closeSync(descriptor),
  };
}

function hashWhole(descriptor: number, size: number): Digest {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(1 << 20);
  let done = 0;
  for (;;) {
    const count = readSync(descriptor, chunk, 0, chunk.length, done);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    done += count;
  }
  if (done !== size) return malformed("as many bytes as the file has");
  return `sha256:${hash.digest("hex")}`;
}

/** A row as it is written: length, letter, bytes. */
export function encodeRow(kind: StoredRow["kind"], bytes: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(rowHead + bytes.length);
  row.writeUInt32LE(bytes.length, 0);
  row[4] = rowLetters[kind].charCodeAt(0);
  row.set(bytes, rowHead);
  return row;
}
