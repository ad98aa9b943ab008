import { isUtf8 } from "node:buffer";
import { type ZipCode, zipErrors } from "./errors.ts";
import { readExactly, type ZipSource } from "./source.ts";

/** An entry as the central directory has it. */
export interface ZipEntry {
  /** As written: `/` between segments, one behind the last for directories. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** 0 stored, 8 deflate; others are listed and not read. */
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where its own header stands in the source. */
  readonly offset: number;
  /** Unix mode with its type bits; 0 where the writer gives none. */
  readonly mode: number;
}

/** Something in an archive that readers take differently; it was still read. */
export interface ZipFault {
  readonly code: ZipCode;
  readonly message: string;
}

/** A zip archive, by its central directory. */
export interface ZipArchive {
  /** In the directory's order. Of names that stand twice, all. */
  readonly entries: readonly ZipEntry[];
  /** Bytes in front of the archive: the script of an executable jar, the program of a self-extracting one. */
  readonly prefix: number;
  /** Entries left out for their names, names that stand twice. */
  readonly faults: readonly ZipFault[];
}

/** Bounds of one archive. */
export interface ZipLimits {
  readonly entries: number;
  /** Of the central directory. */
  readonly directoryBytes: number;
}

/** Bounds where the caller gives none. */
export const zipLimits: ZipLimits = { entries: 500_000, directoryBytes: 128 * 1024 * 1024 };

const endLength = 22;
const centralLength = 46;
const localLength = 30;
/** Bytes that look like end records and are looked at. */
const mostEnds = 64;

/**
 * Reads the central directory of a zip archive (APPNOTE 6.3), zip64 and leading bytes included. Nothing is unpacked.
 * @throws ZIP_MALFORMED | ZIP_TRUNCATED | ZIP_TOO_LARGE | ZIP_OVERLAP | ZIP_UNSUPPORTED
 */
export function readZipDirectory(source: ZipSource, limits: Partial<ZipLimits> = {}): ZipArchive {
  const bounds = { ...zipLimits, ...limits };
  const faults: ZipFault[] = [];
  const end = endRecord(source, faults);
  if (end.count > bounds.entries) throw tooLarge(`${bounds.entries} entries`, end.count);
  if (end.length > bounds.directoryBytes) throw tooLarge(`a directory of ${bounds.directoryBytes} bytes`, end.length);
  const start = end.at - end.length;
  // Offsets count from the archive's own beginning, which may lie behind other bytes.
  const prefix = start - end.start;
  if (start < 0 || prefix < 0) throw malformed("a directory that ends where the end record begins");
  const directory = readExactly(source, start, end.length);
  const entries = entriesOf(directory, end.count, prefix, faults);
  checkOverlap(entries, start);
  return { entries, prefix, faults };
}

interface EndRecord {
  readonly count: number;
  readonly length: number;
  /** Where the directory begins, as written. */
  readonly start: number;
  /** Where the records that end the archive begin, in the source. */
  readonly at: number;
}

/**
 * The last end record whose comment ends the file; else the last one behind a directory, with other bytes after it: what
 * runs archives takes those as well.
 */
function endRecord(source: ZipSource, faults: ZipFault[]): EndRecord {
  const length = Math.min(source.size, endLength + 0xffff);
  const tail = readExactly(source, source.size - length, length);
  const places: number[] = [];
  for (let at = tail.length - endLength; at >= 0; at--) {
    at = tail.lastIndexOf("PK\x05\x06", at, "latin1");
    if (at < 0) break;
    if (at + endLength + tail.readUInt16LE(at + 20) === tail.length) {
      return widenedEnd(source, tail.subarray(at), source.size - length + at);
    }
    places.push(at);
  }
  for (const at of places.slice(0, mostEnds)) {
    const end = tail.subarray(at, at + endLength);
    const start = source.size - length + at - end.readUInt32LE(12);
    const isDirectory = end.readUInt32LE(12) === 0 || signatureAt(source, start) === 0x02014b50;
    if (!isDirectory || at + endLength + end.readUInt16LE(20) > tail.length) continue;
    faults.push({ code: "ZIP_CONFLICT", message: "expected the archive to end with its end record, found more bytes" });
    return widenedEnd(source, end, source.size - length + at);
  }
  throw zipErrors.make("ZIP_TRUNCATED", "expected an end record at the end of the archive, found none");
}

function signatureAt(source: ZipSource, at: number): number {
  return at >= 0 && at + 4 <= source.size ? readExactly(source, at, 4).readUInt32LE(0) : 0;
}

function widenedEnd(source: ZipSource, end: Buffer, at: number): EndRecord {
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0 || end.readUInt16LE(8) !== end.readUInt16LE(10)) {
    const isWide = end.readUInt16LE(4) === 0xffff || end.readUInt16LE(8) === 0xffff;
    if (!isWide) throw zipErrors.make("ZIP_UNSUPPORTED", "expected an archive of one part, found one of several");
  }
  const [count, length, start] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  const locator = at >= 20 ? readExactly(source, at - 20, 20) : Buffer.alloc(20);
  if (locator.readUInt32LE(0) !== 0x07064b50) {
    // Exactly 65,535 entries need no zip64.
    if (length !== 0xffffffff && start !== 0xffffffff) return { count, length, start, at };
    throw malformed("a zip64 locator in front of the end record");
  }
  // The record stands right in front of its locator unless it carries more; what the locator says lacks the prefix.
  const wideAt = at - 20 - 56;
  const record = wideAt >= 0 ? readExactly(source, wideAt, 56) : Buffer.alloc(56);
  if (record.readUInt32LE(0) !== 0x06064b50 || record.readBigUInt64LE(4) !== 44n) {
    throw malformed("a zip64 end record in front of its locator");
  }
  return { count: wide(record, 32), length: wide(record, 40), start: wide(record, 48), at: wideAt };
}

function entriesOf(directory: Buffer, count: number, prefix: number, faults: ZipFault[]): ZipEntry[] {
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + centralLength > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw malformed(`${count} entries in the directory, found ${index}`);
    }
    const nameEnd = at + centralLength + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const next = extraEnd + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw malformed("entries inside the directory");
    const entry = entryAt(directory, at, nameEnd, extraEnd, prefix);
    at = next;
    const problem = nameProblem(entry.name);
    if (problem !== undefined) {
      faults.push({ code: "ZIP_NAME", message: `expected a plain path, found ${problem}: ${shown(entry.name)}` });
      continue;
    }
    if (names.has(entry.name)) {
      faults.push({ code: "ZIP_CONFLICT", message: `expected one entry of a name, found two of ${shown(entry.name)}` });
    }
    names.add(entry.name);
    entries.push(entry);
  }
  if (at !== directory.length) throw malformed("nothing in the directory behind its last entry");
  return entries;
}

function entryAt(directory: Buffer, at: number, nameEnd: number, extraEnd: number, prefix: number): ZipEntry {
  const name = directory.subarray(at + centralLength, nameEnd);
  const written = [24, 20, 42].map((from) => directory.readUInt32LE(at + from));
  const [size = 0, packedSize = 0, offset = 0] = widened(written, directory.subarray(nameEnd, extraEnd));
  return {
    // Old writers use their own code page, which nothing names.
    name: name.toString(isUtf8(name) ? "utf8" : "latin1"),
    isDirectory: name.at(-1) === 0x2f,
    method: directory.readUInt16LE(at + 10),
    flags: directory.readUInt16LE(at + 8),
    crc32: directory.readUInt32LE(at + 16),
    packedSize,
    size,
    offset: offset + prefix,
    mode: directory.readUInt8(at + 5) === 3 ? directory.readUInt16LE(at + 40) : 0,
  };
}

/** Sizes with what the zip64 field says where they stand as 0xffffffff. */
function widened(written: readonly number[], extra: Buffer): number[] {
  if (!written.includes(0xffffffff)) return [...written];
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  const field = at + 4 <= extra.length ? extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2)) : Buffer.alloc(0);
  let place = 0;
  return written.map((value) => {
    if (value !== 0xffffffff) return value;
    if (place + 8 > field.length) throw malformed("a zip64 field with the sizes of an entry");
    place += 8;
    return wide(field, place - 8);
  });
}

function wide(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed("sizes and places below 2^53");
  return Number(value);
}

/** No two entries share bytes: that is how a few bytes are made to unpack without end. */
function checkOverlap(entries: readonly ZipEntry[], directory: number): void {
  const sorted = [...entries].sort((a, b) => a.offset - b.offset);
  for (const [index, { name, offset, packedSize }] of sorted.entries()) {
    const next = sorted[index + 1]?.offset ?? directory;
    if (offset + localLength + packedSize > Math.min(next, directory)) {
      throw zipErrors.make("ZIP_OVERLAP", `expected entries one after the other, found ${shown(name)} inside another`);
    }
  }
}

function nameProblem(name: string): string | undefined {
  if (name === "" || name === "/") return "none";
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(name)) return "control characters";
  if (name.startsWith("/") || /^[A-Za-z]:[\\/]/.test(name)) return "an absolute one";
  if (name.split(/[/\\]/).includes("..")) return "one that leaves the archive";
  return undefined;
}

function malformed(expected: string) {
  return zipErrors.make("ZIP_MALFORMED", `expected ${expected}`);
}

function tooLarge(bound: string, found: number) {
  return zipErrors.make("ZIP_TOO_LARGE", `expected at most ${bound}, found ${found}`);
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 120));
}
