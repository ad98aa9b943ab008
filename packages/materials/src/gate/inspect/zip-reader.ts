import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { type ArchiveLedger, InspectionEnd, isTelling, type Member } from "./ledger.ts";
import { extraField, readAt, readZipDirectory, widened, type ZipEntry } from "./zip-directory.ts";

/** Longest target of a link that is read. */
const longestTarget = 4096;
/** Up to this size an entry is unpacked at once, which is faster for the thousands of small ones. */
const atOnce = 1024 * 1024;

/** What `inflateRawSync` answers with `info`; its types do not say so. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Reads a zip archive by its directory, and compares every entry with its own header and content. */
export async function readZip(path: string, size: number, most: number, ledger: ArchiveLedger): Promise<void> {
  const file = await open(path, "r");
  try {
    const { entries, start } = await readZipDirectory(file, size, most, ledger);
    let at = 0;
    for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
      if (entry.offset > at) {
        ledger.fault(at === 0 ? "ARCHIVE_PREFIX_BYTES" : "ARCHIVE_HIDDEN_BYTES", `${entry.offset - at} bytes at ${at}`);
      }
      if (entry.offset < at) ledger.stop("ARCHIVE_ENTRIES_OVERLAP", `an entry at ${entry.offset} inside another`);
      at = await readEntry(file, entry, start, ledger);
    }
    if (at > start) ledger.stop("ARCHIVE_ENTRIES_OVERLAP", "an entry that reaches into the directory");
    if (at < start) ledger.fault("ARCHIVE_HIDDEN_BYTES", `${start - at} bytes before the directory`);
  } finally {
    await file.close();
  }
}

/** Answers where the entry ends. */
async function readEntry(file: FileHandle, entry: ZipEntry, end: number, ledger: ArchiveLedger): Promise<number> {
  const header = await readAt(file, entry.offset, 30, ledger);
  if (header.readUInt32LE(0) !== 0x04034b50) ledger.stop("ARCHIVE_HEADER_BAD", "an entry without a header of its own");
  const [nameLength, extraLength] = [header.readUInt16LE(26), header.readUInt16LE(28)];
  const variable = await readAt(file, entry.offset + 30, nameLength + extraLength, ledger);
  const name = nameOf(entry, ledger);
  const begin = entry.offset + 30 + nameLength + extraLength;
  const stop = begin + entry.packedSize;
  if (stop > end) ledger.stop("ARCHIVE_ENTRIES_OVERLAP", `${name} reaches into the directory`);
  compareHeaders(header, variable.subarray(0, nameLength), variable.subarray(nameLength), entry, name, ledger);
  if ((entry.flags & 0x2041) !== 0) ledger.stop("ARCHIVE_ENCRYPTED", name);
  if (entry.method !== 0 && entry.method !== 8) {
    ledger.stop("ARCHIVE_METHOD_UNKNOWN", `${name} is packed with method ${entry.method}, which is not read`);
  }
  const kind = kindOf(entry, name, ledger);
  await readContent(file, entry, begin, name, kind, ledger);
  return (entry.flags & 8) === 0 ? stop : descriptorEnd(file, entry, stop, end, name, ledger);
}

function nameOf(entry: ZipEntry, ledger: ArchiveLedger): string {
  const name = entry.name.toString("utf8");
  if (name === "" || !Buffer.from(name, "utf8").equals(entry.name)) {
    ledger.fault("ARCHIVE_NAME_INVALID", `${entry.name.toString("latin1")} is not UTF-8`);
  }
  // Another name for readers that know this field (Info-ZIP Unicode path).
  const other = extraField(entry.extra, 0x7075, ledger)?.subarray(5).toString("utf8");
  if (other !== undefined && other !== name) ledger.fault("ARCHIVE_HEADER_CONFLICT", `two names: ${name} and ${other}`);
  return name;
}

/** A reader that streams sees only the header in front of the entry: it must say what the directory says. */
function compareHeaders(
  header: Buffer,
  name: Buffer,
  extra: Buffer,
  entry: ZipEntry,
  shown: string,
  ledger: ArchiveLedger,
): void {
  const differs = (what: string) => ledger.fault("ARCHIVE_HEADER_CONFLICT", `two ${what} of ${shown}`);
  if (!name.equals(entry.name)) differs("names");
  if (header.readUInt16LE(8) !== entry.method) differs("methods");
  if (((header.readUInt16LE(6) ^ entry.flags) & 0x9) !== 0) differs("kinds of header");
  const sizes = [header.readUInt32LE(22), header.readUInt32LE(18)];
  const [size, packed] = widened(sizes, extra, ledger);
  const sum = header.readUInt32LE(14);
  const isLate = (entry.flags & 8) !== 0 && sum === 0 && size === 0 && packed === 0;
  // A writer that streams with room for large sizes leaves them empty in the zip64 field as well.
  const isLateWide =
    (entry.flags & 8) !== 0 && sizes.every((each) => each === 0xffffffff) && size === 0 && packed === 0;
  if (!isLate && !isLateWide) {
    if (size !== entry.size || packed !== entry.packedSize) differs("sizes");
    if (sum !== entry.crc32) differs("checksums");
  }
  if ((isLate || isLateWide) && entry.method === 0 && entry.size > 0) {
    ledger.fault("ARCHIVE_DESCRIPTOR", `${shown} is stored, and its size stands behind it alone`);
  }
  if (entry.method === 0 && entry.size !== entry.packedSize) differs("sizes");
}

function kindOf(entry: ZipEntry, name: string, ledger: ArchiveLedger): Member["kind"] | "other" {
  const type = entry.mode & 0o170000;
  if (type === 0o120000) return "symlink";
  if (type === 0o020000 || type === 0o060000 || type === 0o010000 || type === 0o140000) {
    ledger.fault("ARCHIVE_DEVICE", name);
    return "other";
  }
  return entry.isDirectory ? "directory" : "file";
}

async function readContent(
  file: FileHandle,
  entry: ZipEntry,
  begin: number,
  name: string,
  kind: Member["kind"] | "other",
  ledger: ArchiveLedger,
): Promise<void> {
  const mode = entry.mode & 0o7777;
  if (kind === "directory") {
    ledger.member({ path: name, kind, mode });
    if (entry.size > 0) ledger.fault("ARCHIVE_HEADER_CONFLICT", `${name} is a directory and has content`);
    return;
  }
  const place = kind === "file" ? ledger.member({ path: name, kind, mode }) : name;
  const keeps = kind === "symlink" ? entry.size <= longestTarget : isTelling(place, entry.size);
  const kept: Buffer[] = [];
  const hash = createHash("sha256");
  let [sum, size] = [0, 0];
  await unpackEntry(file, entry, begin, name, ledger, (chunk) => {
    size += chunk.length;
    if (size > entry.size) ledger.stop("ARCHIVE_CONTENT_DIFFERS", `${name} holds more than its ${entry.size} bytes`);
    ledger.bytes(chunk.length);
    sum = crc32(chunk, sum);
    hash.update(chunk);
    if (keeps) kept.push(Buffer.from(chunk));
  });
  if (size !== entry.size || sum !== entry.crc32) {
    ledger.fault("ARCHIVE_CONTENT_DIFFERS", `${name} has another size or checksum than its header says`);
  }
  if (kind === "symlink") {
    ledger.member({ path: name, kind, mode, target: keeps ? Buffer.concat(kept).toString("utf8") : "/" });
  } else if (kind === "file") {
    ledger.digests.set(place, hash.digest("hex"));
    if (keeps) ledger.captured.set(place, Buffer.concat(kept));
  }
}

async function unpackEntry(
  file: FileHandle,
  entry: ZipEntry,
  begin: number,
  name: string,
  ledger: ArchiveLedger,
  take: (chunk: Buffer) => void,
): Promise<void> {
  async function* packed(): AsyncGenerator<Buffer> {
    for (let at = 0; at < entry.packedSize; ) {
      const chunk = await readAt(file, begin + at, Math.min(256 * 1024, entry.packedSize - at), ledger);
      at += chunk.length;
      yield chunk;
    }
  }
  if (entry.method === 0) {
    for await (const chunk of packed()) take(chunk);
    return;
  }
  let used: number;
  try {
    if (entry.size <= atOnce && entry.packedSize <= atOnce) {
      const whole = await readAt(file, begin, entry.packedSize, ledger);
      const options = { info: true, maxOutputLength: entry.size + 1 };
      const inflated = inflateRawSync(whole, options) as unknown as Inflated;
      take(inflated.buffer);
      used = inflated.engine.bytesWritten;
    } else used = await inflateStream(Readable.from(packed()), take);
  } catch (cause) {
    if (cause instanceof InspectionEnd) throw cause;
    return ledger.stop(
      "ARCHIVE_CONTENT_DIFFERS",
      `${name} is not packed as its header says: ${(cause as Error).message}`,
    );
  }
  if (used < entry.packedSize) ledger.fault("ARCHIVE_HIDDEN_BYTES", `bytes behind the packed content of ${name}`);
}

/** Answers how many packed bytes the content took. */
async function inflateStream(source: Readable, take: (chunk: Buffer) => void): Promise<number> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  source.on("error", (cause) => inflate.destroy(cause));
  source.pipe(inflate);
  try {
    for await (const chunk of inflate) take(chunk as Buffer);
  } finally {
    source.destroy();
  }
  return (inflate as unknown as { readonly bytesWritten: number }).bytesWritten;
}

/** Behind the content: an optional signature, checksum and sizes, of 4 or 8 bytes each. */
async function descriptorEnd(
  file: FileHandle,
  entry: ZipEntry,
  at: number,
  end: number,
  name: string,
  ledger: ArchiveLedger,
): Promise<number> {
  const bytes = await readAt(file, at, Math.min(24, Math.max(0, end - at)), ledger);
  for (const from of [4, 0]) {
    if (from === 4 && (bytes.length < 4 || bytes.readUInt32LE(0) !== 0x08074b50)) continue;
    for (const width of [4, 8]) {
      if (bytes.length < from + 4 + 2 * width) continue;
      const read = (o: number) => (width === 4 ? bytes.readUInt32LE(o) : Number(bytes.readBigUInt64LE(o)));
      const agrees =
        bytes.readUInt32LE(from) === entry.crc32 &&
        read(from + 4) === entry.packedSize &&
        read(from + 4 + width) === entry.size;
      if (agrees) return at + from + 4 + 2 * width;
    }
  }
  return ledger.stop("ARCHIVE_DESCRIPTOR", `what stands behind ${name} does not agree with the directory`);
}
