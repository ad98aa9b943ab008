import { crc32, deflateRawSync } from "node:zlib";

/** What a zip entry's two headers say, and where they may differ. */
export interface ForgedZipEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly stored?: boolean;
  /** Unix mode with its type; 0: none. */
  readonly mode?: number;
  readonly flags?: number;
  /** Bytes behind the packed content, counted as packed. */
  readonly packedTail?: Uint8Array;
  /** What the header in front of the content says instead. */
  readonly local?: Partial<ZipFields>;
  /** What the directory says instead. */
  readonly central?: Partial<ZipFields>;
  /** Writes checksum and sizes behind the content, zeros in front of it. */
  readonly descriptor?: Partial<ZipFields>;
  readonly extra?: Uint8Array;
  /** Bytes between this entry and the one before. */
  readonly gap?: Uint8Array;
}

/** Fields that both headers of an entry have. */
export interface ZipFields {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly packedSize: number;
  readonly size: number;
  readonly offset: number;
}

/** Writes a zip archive. */
export function forgeZip(
  entries: readonly ForgedZipEntry[],
  around: {
    readonly prefix?: Uint8Array;
    readonly tail?: Uint8Array;
    readonly count?: number;
    readonly comment?: string;
  } = {},
): Buffer {
  const parts: Uint8Array[] = around.prefix ? [around.prefix] : [];
  const directory: Uint8Array[] = [];
  let at = around.prefix?.length ?? 0;
  const add = (...chunks: Uint8Array[]) => {
    for (const chunk of chunks) {
      parts.push(chunk);
      at += chunk.length;
    }
  };
  for (const entry of entries) {
    if (entry.gap) add(entry.gap);
    const content = typeof entry.content === "string" ? Buffer.from(entry.content) : (entry.content ?? Buffer.alloc(0));
    const packed = Buffer.concat([
      entry.stored ? content : deflateRawSync(content),
      entry.packedTail ?? Buffer.alloc(0),
    ]);
    const truth: ZipFields = {
      name: entry.name,
      method: entry.stored ? 0 : 8,
      crc32: crc32(content),
      packedSize: packed.length,
      size: content.length,
      offset: at,
    };
    const flags = (entry.flags ?? 0) | (entry.descriptor ? 8 : 0);
    const zeros = entry.descriptor ? { crc32: 0, packedSize: 0, size: 0 } : {};
    add(localHeader({ ...truth, ...zeros, ...entry.local }, flags), packed);
    if (entry.descriptor) add(descriptor({ ...truth, ...entry.descriptor }));
    directory.push(
      centralHeader({ ...truth, ...entry.central }, flags, entry.mode ?? 0, entry.extra ?? Buffer.alloc(0)),
    );
  }
  const start = at;
  add(...directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(around.count ?? entries.length, 8);
  end.writeUInt16LE(around.count ?? entries.length, 10);
  end.writeUInt32LE(at - start, 12);
  end.writeUInt32LE(start, 16);
  const comment = Buffer.from(around.comment ?? "", "latin1");
  end.writeUInt16LE(comment.length, 20);
  add(end, comment, around.tail ?? Buffer.alloc(0));
  return Buffer.concat(parts);
}

function localHeader(fields: ZipFields, flags: number): Buffer {
  const name = Buffer.from(fields.name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  common(header, 6, fields, flags, name.length);
  return Buffer.concat([header, name]);
}

function centralHeader(fields: ZipFields, flags: number, mode: number, extra: Uint8Array): Buffer {
  const name = Buffer.from(fields.name);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(mode === 0 ? 20 : 0x0314, 4);
  header.writeUInt16LE(20, 6);
  common(header, 8, fields, flags, name.length);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE((mode << 16) >>> 0, 38);
  header.writeUInt32LE(fields.offset, 42);
  return Buffer.concat([header, name, extra]);
}

function common(header: Buffer, at: number, fields: ZipFields, flags: number, nameLength: number): void {
  header.writeUInt16LE(flags, at);
  header.writeUInt16LE(fields.method, at + 2);
  header.writeUInt32LE(fields.crc32, at + 8);
  header.writeUInt32LE(fields.packedSize, at + 12);
  header.writeUInt32LE(fields.size, at + 16);
  header.writeUInt16LE(nameLength, at + 20);
}

function descriptor(fields: ZipFields): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(fields.crc32, 4);
  bytes.writeUInt32LE(fields.packedSize, 8);
  bytes.writeUInt32LE(fields.size, 12);
  return bytes;
}
