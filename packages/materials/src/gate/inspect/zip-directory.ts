import type { FileHandle } from "node:fs/promises";
import type { ArchiveLedger } from "./ledger.ts";

/** An entry as the central directory has it. */
export interface ZipEntry {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
  readonly offset: number;
  /** Unix mode, 0 where the writer gives none. */
  readonly mode: number;
  readonly isDirectory: boolean;
  readonly extra: Buffer;
}

/** Reads exactly `length` bytes, or notes that the archive is cut. */
export async function readAt(file: FileHandle, at: number, length: number, ledger: ArchiveLedger): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) ledger.stop("ARCHIVE_TRUNCATED", "the archive ends inside a record");
    done += bytesRead;
  }
  return bytes;
}

/** The central directory, and where it begins. Everything around it that readers take differently is noted. */
export async function readZipDirectory(
  file: FileHandle,
  size: number,
  most: number,
  ledger: ArchiveLedger,
): Promise<{ readonly entries: readonly ZipEntry[]; readonly start: number }> {
  const tailLength = Math.min(size, 22 + 0xffff);
  const tail = await readAt(file, size - tailLength, tailLength, ledger);
  const at = tail.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (at === -1 || at + 22 > tail.length) ledger.stop("ARCHIVE_TRUNCATED", "a zip archive without an end record");
  const end = tail.subarray(at);
  const endAt = size - tailLength + at;
  const comment = end.readUInt16LE(20);
  if (22 + comment !== end.length) ledger.fault("ARCHIVE_TRAILING_BYTES", "bytes behind the end record");
  // A second end record further in front is what another reader may find first.
  const other = tail.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"), Math.max(0, at - 1));
  if (at > 0 && other !== -1 && other < at && isEndRecord(tail, other)) {
    ledger.fault("ARCHIVE_HEADER_CONFLICT", "two end records");
  }
  let [count, length, start] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0 || end.readUInt16LE(8) !== count) {
    ledger.stop("ARCHIVE_HEADER_CONFLICT", "an archive of several disks");
  }
  let directoryEnd = endAt;
  if (count === 0xffff || length === 0xffffffff || start === 0xffffffff) {
    const wide = await readWideEnd(file, endAt, ledger);
    [count, length, start, directoryEnd] = [wide.count, wide.length, wide.start, wide.at];
  }
  if (count > most) ledger.stop("ARCHIVE_TOO_MANY_ENTRIES", `expected at most ${most} entries, found ${count}`);
  const shift = directoryEnd - length - start;
  if (shift !== 0) ledger.stop("ARCHIVE_PREFIX_BYTES", `offsets that are ${shift} bytes beside the truth`);
  if (length > count * (46 + 3 * 0xffff)) ledger.stop("ARCHIVE_HIDDEN_BYTES", "a directory longer than its entries");
  const directory = await readAt(file, start, length, ledger);
  return { entries: entriesOf(directory, count, ledger), start };
}

function isEndRecord(tail: Buffer, at: number): boolean {
  return at + 22 <= tail.length && at + 22 + tail.readUInt16LE(at + 20) <= tail.length;
}

async function readWideEnd(file: FileHandle, endAt: number, ledger: ArchiveLedger) {
  if (endAt < 76) ledger.stop("ARCHIVE_HEADER_BAD", "no zip64 locator");
  const locator = await readAt(file, endAt - 20, 20, ledger);
  const at = Number(locator.readBigUInt64LE(8));
  if (locator.readUInt32LE(0) !== 0x07064b50 || at !== endAt - 76) {
    ledger.stop("ARCHIVE_HEADER_CONFLICT", "a zip64 locator that leads elsewhere");
  }
  const record = await readAt(file, at, 56, ledger);
  if (record.readUInt32LE(0) !== 0x06064b50 || record.readBigUInt64LE(4) !== 44n) {
    ledger.stop("ARCHIVE_HEADER_BAD", "a zip64 end record that is none");
  }
  return {
    count: Number(record.readBigUInt64LE(32)),
    length: Number(record.readBigUInt64LE(40)),
    start: Number(record.readBigUInt64LE(48)),
    at,
  };
}

function entriesOf(directory: Buffer, count: number, ledger: ArchiveLedger): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      ledger.stop("ARCHIVE_TRUNCATED", `expected ${count} entries in the directory, found ${i}`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => directory.readUInt16LE(at + o)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > directory.length) ledger.stop("ARCHIVE_TRUNCATED", "an entry beyond the directory");
    const name = directory.subarray(at + 46, at + 46 + nameLength);
    const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const written = [24, 20, 42].map((o) => directory.readUInt32LE(at + o));
    const [size = 0, packedSize = 0, offset = 0] = widened(written, extra, ledger);
    const mode = directory.readUInt8(at + 5) === 3 ? directory.readUInt32LE(at + 38) >>> 16 : 0;
    entries.push({
      name,
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      packedSize,
      size,
      offset,
      mode,
      isDirectory: name.at(-1) === 0x2f,
      extra,
    });
    at = next;
  }
  if (at !== directory.length) ledger.fault("ARCHIVE_HIDDEN_BYTES", "bytes in the directory behind its entries");
  return entries;
}

/** Sizes with what the zip64 field says where they stand as 0xffffffff. */
export function widened(written: readonly number[], extra: Buffer, ledger: ArchiveLedger): number[] {
  if (!written.includes(0xffffffff)) return [...written];
  const field = extraField(extra, 0x0001, ledger);
  let at = 0;
  return written.map((value) => {
    if (value !== 0xffffffff) return value;
    if (field === undefined || at + 8 > field.length) return ledger.stop("ARCHIVE_HEADER_BAD", "no zip64 size");
    const wide = field.readBigUInt64LE(at);
    at += 8;
    if (wide > BigInt(Number.MAX_SAFE_INTEGER)) ledger.stop("ARCHIVE_SIZE_NEGATIVE", "a size beyond all bounds");
    return Number(wide);
  });
}

/** One extra field of an entry, by its id. */
export function extraField(extra: Buffer, id: number, ledger: ArchiveLedger): Buffer | undefined {
  let found: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (at + 4 + length > extra.length) break;
    if (extra.readUInt16LE(at) === id) {
      if (found) ledger.fault("ARCHIVE_HEADER_CONFLICT", `the extra field ${id} stands twice`);
      found = extra.subarray(at + 4, at + 4 + length);
    }
    at += 4 + length;
  }
  return found;
}
