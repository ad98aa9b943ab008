import { constants, crc32, createInflateRaw, type InflateRaw, inflateRawSync } from "node:zlib";
import type { ZipEntry } from "./directory.ts";
import { zipErrors } from "./errors.ts";
import { partOf, readExactly, type ZipSource } from "./source.ts";

const localLength = 30;
const piece = 256 * 1024;

/**
 * The packed bytes of an entry, found by the header in front of them, which must name the same file and method.
 * @throws ZIP_UNSUPPORTED | ZIP_CONFLICT | ZIP_MALFORMED | ZIP_TRUNCATED
 */
function packedSource(source: ZipSource, entry: ZipEntry): ZipSource {
  const name = JSON.stringify(entry.name.slice(0, 120));
  if ((entry.flags & 0x2041) !== 0)
    throw zipErrors.make("ZIP_UNSUPPORTED", `expected plain content, ${name} is encrypted`);
  if (entry.method !== 0 && entry.method !== 8) {
    throw zipErrors.make(
      "ZIP_UNSUPPORTED",
      `expected stored or deflated content, found method ${entry.method}: ${name}`,
    );
  }
  const header = readExactly(source, entry.offset, localLength);
  if (header.readUInt32LE(0) !== 0x04034b50) throw zipErrors.make("ZIP_MALFORMED", `expected a header of ${name}`);
  const nameLength = header.readUInt16LE(26);
  const written = readExactly(source, entry.offset + localLength, nameLength);
  if (!isNamed(written, entry.name) || header.readUInt16LE(8) !== entry.method) {
    throw zipErrors.make("ZIP_CONFLICT", `expected one header for ${name}, found two that differ`);
  }
  const start = entry.offset + localLength + nameLength + header.readUInt16LE(28);
  if (start + entry.packedSize > source.size)
    throw zipErrors.make("ZIP_TRUNCATED", `${name} reaches beyond the archive`);
  return partOf(source, start, entry.packedSize);
}

function isNamed(written: Buffer, name: string): boolean {
  return written.equals(Buffer.from(name, "utf8")) || written.equals(Buffer.from(name, "latin1"));
}

/**
 * One entry, unpacked, of at most `limit` bytes and with its true checksum.
 * @throws ZIP_TOO_LARGE | ZIP_CONTENT | ZIP_UNSUPPORTED | ZIP_CONFLICT | ZIP_MALFORMED | ZIP_TRUNCATED
 */
export function readZipEntry(source: ZipSource, entry: ZipEntry, limit: number): Uint8Array {
  checkSize(entry, limit);
  const packed = packedSource(source, entry);
  const bytes = readExactly(packed, 0, packed.size);
  const content = entry.method === 0 ? bytes : inflated(bytes, entry);
  if (content.length !== entry.size || crc32(content) !== entry.crc32) throw differs(entry);
  return content;
}

/**
 * The first bytes of an entry, at most `length` of up to 64: what kind of file it is. The rest is not unpacked, nothing
 * is compared; empty where the beginning cannot be read.
 * @throws ZIP_UNSUPPORTED | ZIP_CONFLICT | ZIP_MALFORMED | ZIP_TRUNCATED
 */
export function readZipEntryHead(source: ZipSource, entry: ZipEntry, length: number): Uint8Array {
  const packed = packedSource(source, entry);
  // A block of deflate may begin with a code table of some 300 bytes.
  const bytes = readExactly(packed, 0, Math.min(packed.size, entry.method === 0 ? length : 1024));
  if (entry.method === 0) return bytes;
  try {
    // What 1,024 bytes unpack to is a megabyte at most.
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 << 20 };
    return inflateRawSync(bytes, options).subarray(0, length);
  } catch {
    return new Uint8Array();
  }
}

/**
 * One entry in pieces, as it is unpacked; the last one comes only when size and checksum are true.
 * @throws as readZipEntry does
 */
export async function* streamZipEntry(source: ZipSource, entry: ZipEntry, limit: number): AsyncGenerator<Uint8Array> {
  checkSize(entry, limit);
  const packed = packedSource(source, entry);
  let [size, sum] = [0, 0];
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of entry.method === 0 ? pieces(packed) : inflatedPieces(packed)) {
      if (held !== undefined) yield held;
      size += chunk.length;
      sum = crc32(chunk, sum);
      held = chunk;
      if (size > entry.size) break;
    }
  } catch (cause) {
    throw differs(entry, cause);
  }
  if (size !== entry.size || sum !== entry.crc32) throw differs(entry);
  if (held !== undefined) yield held;
}

/**
 * An entry that is stored as it is, as a source of its own: an archive in an archive is read without unpacking it.
 * Undefined for packed ones. The checksum is not looked at. @throws as readZipEntry does
 */
export function storedSource(source: ZipSource, entry: ZipEntry): ZipSource | undefined {
  if (entry.method !== 0) return undefined;
  if (entry.size !== entry.packedSize) throw differs(entry);
  return packedSource(source, entry);
}

function inflated(bytes: Buffer, entry: ZipEntry): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: entry.size + 1 });
  } catch (cause) {
    throw differs(entry, cause);
  }
}

function* pieces(source: ZipSource): Generator<Uint8Array> {
  for (let at = 0; at < source.size; at += piece) {
    // A copy: a source may use one buffer for every reading.
    yield Uint8Array.from(readExactly(source, at, Math.min(piece, source.size - at)));
  }
}

async function* inflatedPieces(packed: ZipSource): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: piece });
  const feeding = feed(inflate, packed).catch((cause: unknown) => {
    inflate.destroy(cause instanceof Error ? cause : new Error(String(cause)));
  });
  try {
    for await (const chunk of inflate) yield chunk as Uint8Array;
  } finally {
    inflate.destroy();
    await feeding;
  }
}

async function feed(inflate: InflateRaw, packed: ZipSource): Promise<void> {
  for (const bytes of pieces(packed)) {
    if (inflate.destroyed) return;
    if (!inflate.write(bytes)) await roomOrEnd(inflate);
  }
  if (!inflate.destroyed) inflate.end();
}

/** Waits until more may be written, or nothing more will be read. */
function roomOrEnd(inflate: InflateRaw): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      inflate.off("drain", done);
      inflate.off("close", done);
      resolve();
    };
    inflate.on("drain", done);
    inflate.on("close", done);
    if (inflate.destroyed) done();
  });
}

function checkSize(entry: ZipEntry, limit: number): void {
  if (entry.size > limit) {
    const name = JSON.stringify(entry.name.slice(0, 120));
    throw zipErrors.make("ZIP_TOO_LARGE", `${name}: expected at most ${limit} bytes unpacked, found ${entry.size}`);
  }
}

function differs(entry: ZipEntry, cause?: unknown) {
  const name = JSON.stringify(entry.name.slice(0, 120));
  return zipErrors.make("ZIP_CONTENT", `${name}: expected ${entry.size} bytes with their checksum, found others`, {
    cause,
  });
}
