import { inflateRawSync } from "node:zlib";

/** A file of a zip archive, as its directory tells. */
export interface ZipMember {
  readonly name: string;
  /** Time and date in DOS's form. */
  readonly time: number;
  readonly crc: number;
  readonly size: number;
  readonly packed: number;
  readonly method: number;
  readonly at: number;
}

const MAX_MEMBERS = 100_000;
const END_BYTES = 22;

/** The directory of a zip archive (jar, whl, nupkg); undefined when it is none that this can read. */
export function zipMembers(bytes: Uint8Array): readonly ZipMember[] | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < END_BYTES || buffer.readUInt32BE(0) !== 0x504b0304) return undefined;
  const end = buffer.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + END_BYTES > buffer.length) return undefined;
  const count = buffer.readUInt16LE(end + 10);
  let at = buffer.readUInt32LE(end + 16);
  if (count > MAX_MEMBERS) return undefined;
  const members: ZipMember[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > buffer.length || buffer.readUInt32BE(at) !== 0x504b0102) return undefined;
    const nameBytes = buffer.readUInt16LE(at + 28);
    members.push({
      name: buffer.toString("utf8", at + 46, at + 46 + nameBytes),
      method: buffer.readUInt16LE(at + 10),
      time: buffer.readUInt32LE(at + 12),
      crc: buffer.readUInt32LE(at + 16),
      packed: buffer.readUInt32LE(at + 20),
      size: buffer.readUInt32LE(at + 24),
      at: buffer.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + buffer.readUInt16LE(at + 30) + buffer.readUInt16LE(at + 32);
  }
  return members;
}

/** Content of a member, of at most `maxBytes`; undefined when it cannot be had. */
export function zipContent(bytes: Uint8Array, member: ZipMember, maxBytes: number): Uint8Array | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (member.size > maxBytes || member.at + 30 > buffer.length || buffer.readUInt32BE(member.at) !== 0x504b0304)
    return undefined;
  const start = member.at + 30 + buffer.readUInt16LE(member.at + 26) + buffer.readUInt16LE(member.at + 28);
  const packed = buffer.subarray(start, start + member.packed);
  try {
    if (member.method === 0) return packed;
    return member.method === 8 ? inflateRawSync(packed, { maxOutputLength: maxBytes }) : undefined;
  } catch {
    return undefined;
  }
}
