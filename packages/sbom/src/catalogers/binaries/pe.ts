import type { Section, Segment } from "./executable.ts";
import { type ByteSource, type Executable, HeaderView, isWithin, malformed, readExactly } from "./executable.ts";

const mostSections = 4096;
const writableFlag = 0x8000_0000;

/** Headers of a PE file (Microsoft's PE format, "Overview" to "Section Table"). @throws SBOM_BINARY_MALFORMED */
export function readPe(source: ByteSource): Executable {
  const at = new HeaderView(readExactly(source, 0, 64), true).u32(0x3c);
  const coff = new HeaderView(readExactly(source, at, 24), true);
  if (coff.text(0, 4) !== "PE") throw malformed(`expected the signature PE at ${at}`);
  const count = coff.u16(6);
  const optionalSize = coff.u16(20);
  if (count > mostSections) throw malformed(`expected at most ${mostSections} sections, found ${count}`);
  const optional = new HeaderView(readExactly(source, at + 24, optionalSize), true);
  const kind = optional.u16(0);
  if (kind !== 0x10b && kind !== 0x20b) throw malformed(`expected an optional header, found ${kind}`);
  const base = kind === 0x20b ? optional.u64(24) : optional.u32(28);
  const table = new HeaderView(readExactly(source, at + 24 + optionalSize, count * 40), true);
  const segments: Segment[] = [];
  const sections: Section[] = [];
  for (let row = 0; row < count * 40; row += 40) {
    const virtualSize = table.u32(row + 8);
    const rawSize = table.u32(row + 16);
    const offset = table.u32(row + 20);
    const size = virtualSize === 0 ? rawSize : Math.min(virtualSize, rawSize);
    if (!isWithin(source, offset, size)) continue;
    const writable = (table.u32(row + 36) & writableFlag) !== 0;
    segments.push({ address: base + table.u32(row + 12), offset, size, writable });
    sections.push({ name: table.text(row, 8), offset, size });
  }
  return { format: "pe", pointerSize: kind === 0x20b ? 8 : 4, littleEndian: true, segments, sections };
}
