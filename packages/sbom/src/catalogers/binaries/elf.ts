import type { Section, Segment } from "./executable.ts";
import { type ByteSource, type Executable, HeaderView, isWithin, malformed, readExactly } from "./executable.ts";

const mostSegments = 1024;
const mostSections = 16_384;
const longestNames = 4 * 1024 * 1024;
const loadable = 1;
const noBits = 8;

/**
 * Headers of an ELF file. Segments must be right, for a system that runs it reads them; a table of sections that lies
 * outside the file counts as absent, as for that system. @throws SBOM_BINARY_MALFORMED
 */
export function readElf(source: ByteSource): Executable {
  const ident = readExactly(source, 0, 16);
  const pointerSize = ident[4] === 2 ? 8 : 4;
  const littleEndian = ident[5] !== 2;
  if ((ident[4] !== 1 && ident[4] !== 2) || (ident[5] !== 1 && ident[5] !== 2)) {
    throw malformed(`expected an ELF class and byte order of 1 or 2, found ${ident[4]} and ${ident[5]}`);
  }
  const wide = pointerSize === 8;
  const header = new HeaderView(readExactly(source, 0, wide ? 64 : 52), littleEndian);
  return {
    format: "elf",
    pointerSize,
    littleEndian,
    segments: readSegments(source, header, wide),
    sections: readSections(source, header, wide),
  };
}

function readSegments(source: ByteSource, header: HeaderView, wide: boolean): readonly Segment[] {
  const at = wide ? header.u64(32) : header.u32(28);
  const size = header.u16(wide ? 54 : 42);
  const count = header.u16(wide ? 56 : 44);
  if (count === 0) return [];
  if (count > mostSegments || size !== (wide ? 56 : 32)) throw malformed(`found ${count} segments of ${size} bytes`);
  const table = new HeaderView(readExactly(source, at, count * size), header.littleEndian);
  const segments: Segment[] = [];
  for (let base = 0; base < count * size; base += size) {
    if (table.u32(base) !== loadable) continue;
    const offset = wide ? table.u64(base + 8) : table.u32(base + 4);
    const length = wide ? table.u64(base + 32) : table.u32(base + 16);
    // Files of split-off debugging symbols keep the headers of segments whose bytes are elsewhere.
    if (!isWithin(source, offset, length)) continue;
    const writable = (table.u32(base + (wide ? 4 : 24)) & 2) !== 0;
    segments.push({ address: wide ? table.u64(base + 16) : table.u32(base + 8), offset, size: length, writable });
  }
  return segments;
}

function readSections(source: ByteSource, header: HeaderView, wide: boolean): readonly Section[] | undefined {
  const at = wide ? header.u64(40) : header.u32(32);
  const size = header.u16(wide ? 58 : 46);
  if (at === 0 || size !== (wide ? 64 : 40) || !isWithin(source, at, size)) return undefined;
  const first = new HeaderView(readExactly(source, at, size), header.littleEndian);
  // Where the numbers do not fit into the header, the first section holds them (ELF, "Section header table").
  const count = header.u16(wide ? 60 : 48) || (wide ? first.u64(32) : first.u32(20));
  const shortIndex = header.u16(wide ? 62 : 50);
  const namesAt = shortIndex === 0xffff ? first.u32(wide ? 40 : 24) : shortIndex;
  if (count > mostSections) throw malformed(`expected at most ${mostSections} sections, found ${count}`);
  if (namesAt >= count || !isWithin(source, at, count * size)) return undefined;
  const table = new HeaderView(readExactly(source, at, count * size), header.littleEndian);
  const place = (index: number) => ({
    offset: wide ? table.u64(index * size + 24) : table.u32(index * size + 16),
    size: wide ? table.u64(index * size + 32) : table.u32(index * size + 20),
  });
  const names = place(namesAt);
  if (names.size > longestNames || !isWithin(source, names.offset, names.size)) return undefined;
  const texts = new HeaderView(readExactly(source, names.offset, names.size), header.littleEndian);
  const sections: Section[] = [];
  for (let index = 1; index < count; index++) {
    const { offset, size: length } = place(index);
    if (table.u32(index * size + 4) === noBits || !isWithin(source, offset, length)) continue;
    sections.push({ name: texts.text(table.u32(index * size), 256), offset, size: length });
  }
  return sections;
}
