import { readElf } from "./elf.ts";
import type { ByteSource, Executable } from "./executable.ts";
import { machOSlices, readMachO } from "./mach-o.ts";
import { readPe } from "./pe.ts";

/** One program of a file: universal Mach-O files have several. */
export interface Program {
  readonly source: ByteSource;
  readonly executable: Executable;
}

/** Bytes that a program begins with, and what reads it. A Java class begins like a universal file. */
const formats: readonly (readonly [magic: readonly number[], kind: "elf" | "pe" | "mach-o" | "universal"])[] = [
  [[0x7f, 0x45, 0x4c, 0x46], "elf"],
  [[0x4d, 0x5a], "pe"],
  [[0xfe, 0xed, 0xfa, 0xce], "mach-o"],
  [[0xfe, 0xed, 0xfa, 0xcf], "mach-o"],
  [[0xce, 0xfa, 0xed, 0xfe], "mach-o"],
  [[0xcf, 0xfa, 0xed, 0xfe], "mach-o"],
  [[0xca, 0xfe, 0xba, 0xbe], "universal"],
  [[0xca, 0xfe, 0xba, 0xbf], "universal"],
];

/** True when these first bytes are those of an ELF, PE or Mach-O file. */
export function isProgram(head: Uint8Array | undefined): boolean {
  return head !== undefined && kindOf(head) !== undefined;
}

/** The programs of a file. None for what only begins like one. @throws SBOM_BINARY_MALFORMED */
export function readPrograms(source: ByteSource): readonly Program[] {
  switch (kindOf(source.read(0, 64))) {
    case "elf":
      return [{ source, executable: readElf(source) }];
    case "pe":
      return [{ source, executable: readPe(source) }];
    case "mach-o":
      return [{ source, executable: readMachO(source) }];
    case "universal":
      return machOSlices(source).map((slice) => ({ source: slice.source, executable: readMachO(slice.source) }));
    default:
      return [];
  }
}

function kindOf(head: Uint8Array): "elf" | "pe" | "mach-o" | "universal" | undefined {
  const kind = formats.find(([magic]) => magic.every((byte, index) => head[index] === byte))?.[1];
  // The word behind it is the version of a Java class, 45 at least, or the number of architectures.
  if (kind === "universal" && (head[4] !== 0 || head[5] !== 0 || head[6] !== 0 || (head[7] ?? 255) >= 45)) return;
  // A program of DOS, or text that begins with MZ, has no headers of PE.
  if (kind === "pe" && head.length < 64) return;
  return kind;
}
