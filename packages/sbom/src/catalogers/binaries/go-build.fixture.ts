import { elfFile, firstOffset, type MadeProgram } from "./programs.fixture.ts";

const magic = Buffer.from("\xff Go buildinf:", "latin1");

/** Lines of modules between their marks, as the linker writes them. */
export function marked(lines: string): Buffer {
  const [start, end] = ["3077af0c9274080241e1c107e6d618e6", "f932433186182072008242104116d8f2"];
  return Buffer.concat([Buffer.from(start ?? "", "hex"), Buffer.from(lines), Buffer.from(end ?? "", "hex")]);
}

/** The bytes of `.go.buildinfo` since Go 1.18: the strings themselves. */
export function inlineBuildInfo(version: string, lines: string): Buffer {
  const header = Buffer.alloc(32);
  header.set(magic);
  header.set([8, 2], 14);
  return Buffer.concat([
    header,
    prefixed(Buffer.from(version)),
    prefixed(lines === "" ? Buffer.alloc(0) : marked(lines)),
  ]);
}

/** A program as Go 1.13 to 1.17 linked it: pointers to two strings. */
export function pointedProgram(version: string, lines: string, how: Omit<MadeProgram, "sections"> = {}): Buffer {
  const { wide = true, littleEndian = true, base = 0x40_0000 } = how;
  const size = wide ? 8 : 4;
  const texts = [Buffer.from(version), lines === "" ? Buffer.alloc(0) : marked(lines)];
  const bytes = Buffer.alloc(32 + 4 * size);
  const word = (at: number, value: number) => {
    if (wide && littleEndian) bytes.writeBigUInt64LE(BigInt(value), at);
    else if (wide) bytes.writeBigUInt64BE(BigInt(value), at);
    else if (littleEndian) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
  };
  bytes.set(magic);
  bytes.set([size, littleEndian ? 0 : 1], 14);
  let end = base + firstOffset + bytes.length;
  for (const [index, text] of texts.entries()) {
    word(16 + index * size, base + firstOffset + 32 + index * 2 * size);
    word(32 + index * 2 * size, end);
    word(32 + (index * 2 + 1) * size, text.length);
    end += text.length;
  }
  return elfFile({ ...how, sections: [{ name: ".go.buildinfo", bytes: Buffer.concat([bytes, ...texts]) }] });
}

function prefixed(bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
