/** A part of a program that is made by code. */
export interface MadeSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly writable?: boolean;
}

/** How it is made. Defaults: 64 bits, little-endian, with a table of sections, mapped at 0x400000. */
export interface MadeProgram {
  readonly wide?: boolean;
  readonly littleEndian?: boolean;
  readonly withSections?: boolean;
  readonly base?: number;
  readonly sections: readonly MadeSection[];
}

/** Where the first section's bytes lie in a made ELF file. */
export const firstOffset = 0x400;

/** An ELF file with one segment for each section, each at an offset that is a multiple of 16. */
export function elfFile(made: MadeProgram): Buffer {
  const { wide = true, littleEndian = true, withSections = true, base = 0x40_0000, sections } = made;
  const names = ["", ...sections.map(({ name }) => name), ".shstrtab"];
  const table = Buffer.from(`${names.join("\0")}\0`, "latin1");
  const parts = [...sections.map(({ bytes }) => bytes), table];
  const offsets: number[] = [];
  let end = firstOffset;
  for (const part of parts) {
    offsets.push(end);
    end += Math.ceil(part.length / 16) * 16;
  }
  const [rowSize, segmentSize, headerSize] = wide ? [64, 56, 64] : [40, 32, 52];
  const file = Buffer.alloc(end + (withSections ? (parts.length + 1) * rowSize : 0));
  const half = (at: number, value: number) =>
    littleEndian ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at);
  const long = (at: number, value: number) =>
    littleEndian ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
  const word = (at: number, value: number) => {
    if (!wide) return long(at, value);
    return littleEndian ? file.writeBigUInt64LE(BigInt(value), at) : file.writeBigUInt64BE(BigInt(value), at);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1]);
  word(wide ? 32 : 28, headerSize);
  word(wide ? 40 : 32, withSections ? end : 0);
  half(wide ? 54 : 42, segmentSize);
  half(wide ? 56 : 44, sections.length);
  half(wide ? 58 : 46, withSections ? rowSize : 0);
  half(wide ? 60 : 48, withSections ? parts.length + 1 : 0);
  half(wide ? 62 : 50, withSections ? parts.length : 0);
  for (const [index, part] of parts.entries()) {
    const offset = offsets[index] ?? 0;
    file.set(part, offset);
    if (index < sections.length) {
      const at = headerSize + index * segmentSize;
      long(at, 1);
      long(at + (wide ? 4 : 24), sections[index]?.writable === false ? 4 : 6);
      word(at + (wide ? 8 : 4), offset);
      word(at + (wide ? 16 : 8), base + offset);
      word(at + (wide ? 32 : 16), part.length);
    }
    if (withSections) {
      const at = end + (index + 1) * rowSize;
      long(at, names.slice(0, index + 1).join("\0").length + 1);
      long(at + 4, 1);
      word(at + (wide ? 24 : 16), offset);
      word(at + (wide ? 32 : 20), part.length);
    }
  }
  return file;
}

/** A PE file of these sections. */
export function peFile(sections: readonly MadeSection[]): Buffer {
  const parts = sections.map(({ bytes }) => Buffer.from(bytes));
  const file = Buffer.concat([Buffer.alloc(firstOffset), ...parts]);
  file.write("MZ");
  file.writeUInt32LE(0x80, 0x3c);
  file.write("PE\0\0", 0x80, "latin1");
  file.writeUInt16LE(sections.length, 0x86);
  file.writeUInt16LE(240, 0x94);
  file.writeUInt16LE(0x20b, 0x98);
  file.writeBigUInt64LE(0x1_4000_0000n, 0x98 + 24);
  let offset = firstOffset;
  for (const [index, { name, bytes, writable }] of sections.entries()) {
    const at = 0x98 + 240 + index * 40;
    file.write(name, at, "latin1");
    for (const [place, value] of [
      [8, bytes.length],
      [12, offset],
      [16, bytes.length],
      [20, offset],
    ] as const) {
      file.writeUInt32LE(value, at + place);
    }
    file.writeUInt32LE(writable === false ? 0x4000_0000 : 0xc000_0040, at + 36);
    offset += bytes.length;
  }
  return file;
}

/** A Mach-O file of 64 bits, one segment with these sections. */
export function machOFile(sections: readonly MadeSection[]): Buffer {
  const file = Buffer.concat([Buffer.alloc(firstOffset), ...sections.map(({ bytes }) => Buffer.from(bytes))]);
  const size = 72 + 80 * sections.length;
  for (const [index, value] of [0xfeed_facf, 0x0100_000c, 0, 2, 1, size].entries())
    file.writeUInt32LE(value, index * 4);
  file.writeUInt32LE(0x19, 32);
  file.writeUInt32LE(size, 36);
  file.write("__DATA", 40);
  file.writeBigUInt64LE(0x1_0000_0000n, 56);
  file.writeBigUInt64LE(BigInt(firstOffset), 72);
  file.writeBigUInt64LE(BigInt(file.length - firstOffset), 80);
  file.writeUInt32LE(3, 92);
  file.writeUInt32LE(sections.length, 96);
  let offset = firstOffset;
  for (const [index, { name, bytes }] of sections.entries()) {
    const at = 104 + index * 80;
    file.write(name, at, "latin1");
    file.writeBigUInt64LE(BigInt(bytes.length), at + 40);
    file.writeUInt32LE(offset, at + 48);
    offset += bytes.length;
  }
  return file;
}

/** A universal file of these Mach-O files. */
export function universalFile(files: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(256);
  header.writeUInt32BE(0xcafe_babe, 0);
  header.writeUInt32BE(files.length, 4);
  let offset = header.length;
  for (const [index, { length }] of files.entries()) {
    header.writeUInt32BE(offset, 8 + index * 20 + 8);
    header.writeUInt32BE(length, 8 + index * 20 + 12);
    offset += length;
  }
  return Buffer.concat([header, ...files]);
}
