import { type ByteSource, Content, databaseMalformed, largestHeader, mostHeaders, readPiece } from "./page-file.ts";

const pageSize = 4096;
const slotSize = 16;
const blockSize = 16;
const headSize = 16;
const tailSize = 12;
/** `RpmP`, `Slot`, `BlbS`, `BlbE`, least byte first. */
const [databaseMagic, slotMagic, headMagic, tailMagic] = [0x506d_7052, 0x746f_6c53, 0x5362_6c42, 0x4562_6c42];

/**
 * Headers of the packages in rpm's own database (`Packages.db`): a table of slots, and a blob for each that is used.
 * @throws SBOM_RPM_DATABASE_MALFORMED
 */
export function* readNdb(source: ByteSource): Generator<Uint8Array> {
  const header = readPiece(source, 0, 32);
  if (header.readUInt32LE(0) !== databaseMagic || header.readUInt32LE(4) !== 0) {
    throw databaseMalformed("expected a database of rpm, of version 0");
  }
  const slotBytes = header.readUInt32LE(12) * pageSize;
  if (slotBytes > mostHeaders * slotSize * 2) throw databaseMalformed("the database has too many slots");
  const slots = readPiece(source, 0, slotBytes);
  const content = new Content(source.size);
  const seen = new Set<number>();
  for (let at = 2 * slotSize; at < slotBytes; at += slotSize) {
    if (slots.readUInt32LE(at) !== slotMagic) throw databaseMalformed(`expected a slot at ${at}`);
    const index = slots.readUInt32LE(at + 4);
    const offset = slots.readUInt32LE(at + 8) * blockSize;
    // A slot that is not in use has no place.
    if (offset === 0) continue;
    if (seen.has(index)) throw databaseMalformed(`package ${index} is in two slots`);
    seen.add(index);
    const length = slots.readUInt32LE(at + 12) * blockSize;
    content.take(length);
    yield blobAt(source, offset, length, index);
  }
}

function blobAt(source: ByteSource, offset: number, length: number, index: number): Uint8Array {
  if (length < headSize + tailSize || length > largestHeader) {
    throw databaseMalformed(`expected a blob of up to ${largestHeader} bytes, found ${length}`);
  }
  const bytes = readPiece(source, offset, length);
  const size = bytes.readUInt32LE(12);
  const tail = length - tailSize;
  if (bytes.readUInt32LE(0) !== headMagic || bytes.readUInt32LE(4) !== index || headSize + size > tail) {
    throw databaseMalformed(`expected the blob of package ${index} at ${offset}`);
  }
  if (bytes.readUInt32LE(tail + 4) !== size || bytes.readUInt32LE(tail + 8) !== tailMagic) {
    throw databaseMalformed(`expected the end of the blob of package ${index}`);
  }
  if (bytes.readUInt32LE(tail) !== adler32(bytes.subarray(0, tail))) {
    throw databaseMalformed(`the checksum of package ${index} is wrong`);
  }
  return bytes.subarray(headSize, headSize + size);
}

/** Adler-32 (RFC 1950). */
export function adler32(bytes: Uint8Array): number {
  let first = 1;
  let second = 0;
  for (let at = 0; at < bytes.length; ) {
    // As many as fit before the sums must be reduced.
    for (const end = Math.min(at + 3800, bytes.length); at < end; at++) {
      first += bytes[at] ?? 0;
      second += first;
    }
    first %= 65_521;
    second %= 65_521;
  }
  return second * 65_536 + first;
}
