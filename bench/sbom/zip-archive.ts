import { crc32, inflateRawSync } from "node:zlib";

/** A file of a zip archive, with its content as it is and packed with deflate. */
export interface ZipMember {
  readonly name: string;
  readonly content: Buffer;
  readonly packed: Buffer;
}

/** 1 January 2026, as zip has it. */
const date = ((2026 - 1980) << 9) | (1 << 5) | 1;

/** A zip archive (PKWARE appnote 6.3), below 65,536 members: the end record has no room for more. */
export function zipArchive(members: readonly ZipMember[]): Buffer {
  if (members.length > 0xffff) throw new RangeError(`expected at most 65,535 members, found ${members.length}`);
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, content, packed } of members) {
    const label = Buffer.from(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt16LE(date, 8);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(label.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    entries.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), shared, place, label);
    bodies.push(Buffer.from("PK\x03\x04", "latin1"), shared, label, packed);
    offset += 30 + label.length + packed.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, directory, end]);
}

/** Members of an archive that zipArchive wrote, in order: it has no comments, extra fields or gaps. */
export function zipMembers(archive: Buffer): readonly ZipMember[] {
  const members: ZipMember[] = [];
  for (let at = 0; archive.toString("latin1", at, at + 4) === "PK\x03\x04"; ) {
    const [packedLength, nameLength] = [archive.readUInt32LE(at + 18), archive.readUInt16LE(at + 26)];
    const body = at + 30 + nameLength;
    const packed = archive.subarray(body, body + packedLength);
    const name = archive.toString("utf8", at + 30, body);
    members.push({ name, packed, content: inflateRawSync(packed) });
    at = body + packedLength;
  }
  return members;
}
