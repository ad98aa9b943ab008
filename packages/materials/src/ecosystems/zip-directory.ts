import type { FileHandle } from "node:fs/promises";
import { materialErrors } from "./errors.ts";

/** One file of a zip archive, as directory and local header agree on it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: "stored" | "deflated";
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its bytes begin in the archive. */
  readonly start: number;
}

export interface ZipLimits {
  readonly entries: number;
  /** Bytes of all files together, unpacked. */
  readonly bytes: number;
}

const endLength = 22;
const centralLength = 46;
const localLength = 30;

/**
 * Reads the directory of a zip archive (APPNOTE 6.3) that has one meaning: the end record ends the file, the directory
 * ends where the end record begins, and the entries lie one after the other without gaps, each with a local header that
 * says the same. Anything that readers take differently is refused: two entries of one name, prefixes, comments behind,
 * encryption, other methods, zip64.
 */
export async function readZipDirectory(
  file: FileHandle,
  size: number,
  limits: ZipLimits,
): Promise<readonly ZipEntry[]> {
  if (size < endLength) malformed("an end record, found the file's end");
  const end = await read(file, size - endLength, endLength);
  if (end.readUInt32LE(0) !== 0x06054b50 || end.readUInt16LE(20) !== 0) malformed("an end record at the very end");
  const [count, length, offset] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  if (end.readUInt32LE(4) !== 0 || end.readUInt16LE(8) !== count) malformed("an archive of one disk");
  if (count === 0xffff || offset === 0xffffffff || length === 0xffffffff) malformed("no zip64 records");
  if (offset + length !== size - endLength) malformed("a directory that ends where the end record begins");
  if (count > limits.entries || length > limits.entries * 512) tooLarge(`${limits.entries} entries`, count);
  const directory = await read(file, offset, length);
  const entries = centralEntries(directory, count).sort((a, b) => a.offset - b.offset);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > limits.bytes) tooLarge(`${limits.bytes} bytes unpacked`, total);
  const found: ZipEntry[] = [];
  let at = 0;
  for (const entry of entries) {
    if (entry.offset !== at) malformed(`${show(entry.name)} at ${at}, found it at ${entry.offset}`);
    const { start, next } = await localEntry(file, entry, offset);
    const { offset: _, flags: __, ...rest } = entry;
    found.push({ ...rest, start });
    at = next;
  }
  if (at !== offset) malformed("the directory right behind the last entry");
  return found;
}

type CentralEntry = Omit<ZipEntry, "start"> & { readonly offset: number; readonly flags: number };

function centralEntries(directory: Buffer, count: number): CentralEntry[] {
  const entries: CentralEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + centralLength > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      malformed(`${count} entries in the directory, found ${index}`);
    }
    const lengths = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30), directory.readUInt16LE(at + 32)];
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    const next = at + centralLength + nameLength + extraLength + commentLength;
    if (next > directory.length) malformed("entries within the directory");
    const name = nameOf(directory.subarray(at + centralLength, at + centralLength + nameLength));
    if (names.has(name)) malformed(`one entry of each name, found two of ${show(name)}`);
    names.add(name);
    const flags = directory.readUInt16LE(at + 8);
    const method = directory.readUInt16LE(at + 10);
    if ((flags & ~0x080e) !== 0) malformed(`an entry without encryption, found flags ${flags} at ${show(name)}`);
    if (method !== 0 && method !== 8) malformed(`stored or deflated entries, found method ${method} at ${show(name)}`);
    entries.push({
      name,
      flags,
      method: method === 0 ? "stored" : "deflated",
      crc32: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = next;
  }
  if (at !== directory.length) malformed("nothing in the directory behind its last entry");
  return entries;
}

/** The header in front of an entry's bytes must agree with the directory; a reader that streams sees only this one. */
async function localEntry(
  file: FileHandle,
  entry: CentralEntry,
  end: number,
): Promise<{ start: number; next: number }> {
  const header = await read(file, entry.offset, localLength);
  const [nameLength, extraLength] = [header.readUInt16LE(26), header.readUInt16LE(28)];
  const name = await read(file, entry.offset + localLength, nameLength);
  const described = (header.readUInt16LE(6) & 8) !== 0;
  const sizes = [header.readUInt32LE(14), header.readUInt32LE(18), header.readUInt32LE(22)];
  const expected =
    described && sizes.every((one) => one === 0) ? sizes : [entry.crc32, entry.compressedSize, entry.size];
  const agrees =
    header.readUInt32LE(0) === 0x04034b50 &&
    nameOf(name) === entry.name &&
    header.readUInt16LE(6) === entry.flags &&
    header.readUInt16LE(8) === (entry.method === "stored" ? 0 : 8) &&
    sizes.every((one, index) => one === expected[index]);
  if (!agrees) malformed(`one header for ${show(entry.name)}, found two that differ`);
  if (entry.method === "stored" && entry.size !== entry.compressedSize)
    malformed(`${show(entry.name)} in its own size`);
  const start = entry.offset + localLength + nameLength + extraLength;
  const stop = start + entry.compressedSize;
  return { start, next: described ? await descriptorEnd(file, entry, stop, end) : stop };
}

/** Behind the bytes: an optional signature, then checksum and sizes. */
async function descriptorEnd(file: FileHandle, entry: CentralEntry, at: number, end: number): Promise<number> {
  const bytes = await read(file, at, Math.min(16, Math.max(end - at, 0)));
  for (const from of [4, 0]) {
    if (bytes.length < from + 12 || (from === 4 && bytes.readUInt32LE(0) !== 0x08074b50)) continue;
    const values = [bytes.readUInt32LE(from), bytes.readUInt32LE(from + 4), bytes.readUInt32LE(from + 8)];
    if (values[0] === entry.crc32 && values[1] === entry.compressedSize && values[2] === entry.size)
      return at + from + 12;
  }
  return malformed(`a data descriptor that agrees with the directory behind ${show(entry.name)}`);
}

function nameOf(bytes: Buffer): string {
  const name = bytes.toString("utf8");
  if (name === "" || !Buffer.from(name, "utf8").equals(bytes) || /[\u0000-\u001f\u007f]/.test(name)) {
    malformed(`a name in UTF-8 without control characters, found ${show(name)}`);
  }
  return name;
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) malformed("more bytes, found the file's end");
    done += bytesRead;
  }
  return bytes;
}

export function malformed(expected: string): never {
  throw materialErrors.make("MATERIAL_ARCHIVE_MALFORMED", `expected ${expected}`);
}

export function tooLarge(bound: string, found: number): never {
  throw materialErrors.make("MATERIAL_ARCHIVE_TOO_LARGE", `expected at most ${bound}, found ${found}`);
}

function show(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
