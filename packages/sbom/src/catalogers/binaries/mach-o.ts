import type { Section, Segment } from "./executable.ts";
import { type ByteSource, type Executable, HeaderView, isWithin, malformed, readExactly } from "./executable.ts";

const mostArchitectures = 16;
const mostCommands = 4096;
const longestCommands = 4 * 1024 * 1024;
const mostSections = 4096;

/** One architecture of a universal file, as bytes of its own. */
interface Slice {
  readonly source: ByteSource;
}

/** The files inside a universal one: each architecture's (mach-o/fat.h). @throws SBOM_BINARY_MALFORMED */
export function machOSlices(source: ByteSource): readonly Slice[] {
  const header = new HeaderView(readExactly(source, 0, 8), false);
  const wide = header.u32(0) === 0xcafe_babf;
  const count = header.u32(4);
  const row = wide ? 32 : 20;
  if (count > mostArchitectures) throw malformed(`expected at most ${mostArchitectures} architectures, found ${count}`);
  const table = new HeaderView(readExactly(source, 8, count * row), false);
  return Array.from({ length: count }, (_, index) => {
    const offset = table.word(index * row + 8, wide ? 8 : 4);
    const size = table.word(index * row + (wide ? 16 : 12), wide ? 8 : 4);
    if (!isWithin(source, offset, size)) throw malformed(`expected architecture ${index} inside the file`);
    return { source: sliceOf(source, offset, size) };
  });
}

/** Headers of a Mach-O file of one architecture (mach-o/loader.h). @throws SBOM_BINARY_MALFORMED */
export function readMachO(source: ByteSource): Executable {
  const magic = new HeaderView(readExactly(source, 0, 4), false).u32(0);
  const littleEndian = magic === 0xcefa_edfe || magic === 0xcffa_edfe;
  const wide = magic === 0xfeed_facf || magic === 0xcffa_edfe;
  if (!littleEndian && magic !== 0xfeed_face && !wide) throw malformed("expected the magic number of Mach-O");
  const headerSize = wide ? 32 : 28;
  const header = new HeaderView(readExactly(source, 0, headerSize), littleEndian);
  const count = header.u32(16);
  const size = header.u32(20);
  if (count > mostCommands || size > longestCommands) throw malformed(`found ${count} commands of ${size} bytes`);
  const commands = new HeaderView(readExactly(source, headerSize, size), littleEndian);
  const segments: Segment[] = [];
  const sections: Section[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const length = commands.u32(at + 4);
    if (length < 8 || at + length > size) throw malformed(`expected command ${index} inside the header`);
    if (commands.u32(at) === (wide ? 0x19 : 0x1)) readSegment(source, commands, at, wide, segments, sections);
    at += length;
  }
  return { format: "mach-o", pointerSize: wide ? 8 : 4, littleEndian, segments, sections };
}

function readSegment(
  source: ByteSource,
  commands: HeaderView,
  at: number,
  wide: boolean,
  segments: Segment[],
  sections: Section[],
): void {
  const word = wide ? 8 : 4;
  const [address, offset, size] = [24, 24 + 2 * word, 24 + 3 * word].map((place) => commands.word(at + place, word));
  const writable = (commands.u32(at + 28 + 4 * word) & 2) !== 0;
  if (isWithin(source, offset ?? -1, size ?? -1)) {
    segments.push({ address: address ?? Number.NaN, offset: offset ?? 0, size: size ?? 0, writable });
  }
  const count = commands.u32(at + 32 + 4 * word);
  const row = wide ? 80 : 68;
  if (sections.length + count > mostSections) throw malformed(`expected at most ${mostSections} sections`);
  for (let index = 0; index < count; index++) {
    const base = at + 40 + 4 * word + index * row;
    const length = commands.word(base + 32 + word, word);
    const place = commands.u32(base + 32 + 2 * word);
    if (isWithin(source, place, length)) sections.push({ name: commands.text(base, 16), offset: place, size: length });
  }
}

function sliceOf(source: ByteSource, start: number, size: number): ByteSource {
  return {
    size,
    read: (offset, length) => source.read(start + offset, Math.max(0, Math.min(length, size - offset))),
  };
}
