import { binaryErrors } from "./errors.ts";
import { HeaderView, isWithin, readAddress } from "./executable.ts";
import type { Program } from "./programs.ts";

/** What Go's linker wrote into a program (debug/buildinfo). */
export interface GoBuildInfo {
  /** `go1.22.1`, with what follows it (`X:boringcrypto`). */
  readonly goVersion: string;
  /** Lines of modules and settings; empty where the program was built without modules. */
  readonly modules: string;
}

const magic = Buffer.from("\xff Go buildinf:", "latin1");
const [markStart, markEnd] = ["3077af0c9274080241e1c107e6d618e6", "f932433186182072008242104116d8f2"].map((hex) =>
  Buffer.from(hex, "hex"),
) as [Buffer, Buffer];
const headerSize = 32;
const longestSearch = 64 * 1024 * 1024;
const chunk = 1024 * 1024;
const longestVersion = 1024;
const longestModules = 16 * 1024 * 1024;
/** Of what is found by its marks alone. */
const longestPlain = 1024 * 1024;

/**
 * The build information of a program, undefined when it has none. All forms since Go 1.13: two pointers to strings
 * (to 1.17) and the strings themselves (since 1.18). Symbols are not needed.
 * @throws SBOM_BINARY_BUILD_INFO_MALFORMED
 */
export function readGoBuildInfo(program: Program): GoBuildInfo | undefined {
  const at = findHeader(program);
  if (at === undefined) return undefined;
  const header = program.source.read(at, headerSize);
  const flags = header[15] ?? 0;
  const [version, modules] = (flags & 2) === 0 ? pointedStrings(program, header) : inlineStrings(program, at);
  // Programs that run at any address have their pointers filled in when they start: the lines are found by their marks.
  if (version.length === 0 && modules.length === 0) return { goVersion: "", modules: utf8(markedLines(program)) };
  // What was built without modules has a version and nothing else.
  return { goVersion: utf8(version), modules: utf8(withoutMarks(modules)) };
}

/** The section that holds it; without a table of sections, the writable segments, where the linker puts it. */
function findHeader({ source, executable }: Program): number | undefined {
  const named = executable.sections?.filter(({ name }) => name === ".go.buildinfo" || name === "__go_buildinfo");
  const searched =
    named !== undefined && (named.length > 0 || executable.format === "elf")
      ? named
      : executable.segments.filter(({ writable }) => writable);
  let left = longestSearch;
  for (const { offset, size } of searched) {
    for (let from = 0; from + headerSize <= size && left > 0; from += chunk) {
      const bytes = Buffer.from(source.read(offset + from, Math.min(chunk + headerSize, size - from)));
      left -= chunk;
      for (let found = bytes.indexOf(magic); found >= 0; found = bytes.indexOf(magic, found + 1)) {
        // The linker aligns it by 16; a program that reads build information has the same bytes elsewhere.
        if ((from + found) % 16 === 0 && isHeader(bytes.subarray(found))) return offset + from + found;
      }
    }
  }
  return undefined;
}

function isHeader(bytes: Uint8Array): boolean {
  const isInline = ((bytes[15] ?? 0) & 2) !== 0;
  return bytes.length >= headerSize && (isInline || bytes[14] === 4 || bytes[14] === 8);
}

function inlineStrings({ source }: Program, at: number): [Uint8Array, Uint8Array] {
  const version = lengthPrefixed(at + headerSize, longestVersion);
  return [version.bytes, lengthPrefixed(version.end, longestModules).bytes];

  function lengthPrefixed(from: number, limit: number): { bytes: Uint8Array; end: number } {
    const head = source.read(from, 10);
    let length = 0;
    let used = 0;
    for (let more = true; more; used++) {
      const byte = head[used];
      if (byte === undefined || used > 4) throw malformed("expected the length of a string");
      length += (byte & 0x7f) * 2 ** (7 * used);
      more = byte >= 0x80;
    }
    if (length > limit || !isWithin(source, from + used, length)) {
      throw malformed(`expected a string of at most ${limit} bytes inside the file, found ${length}`);
    }
    return { bytes: source.read(from + used, length), end: from + used + length };
  }
}

function pointedStrings({ source, executable }: Program, header: Uint8Array): [Uint8Array, Uint8Array] {
  const size = header[14] === 8 ? 8 : 4;
  const littleEndian = ((header[15] ?? 0) & 1) === 0;
  const pointers = new HeaderView(header, littleEndian);
  return [string(pointers.word(16, size), longestVersion), string(pointers.word(16 + size, size), longestModules)];

  /** A Go string: a pointer to its bytes, and its length. */
  function string(address: number, limit: number): Uint8Array {
    if (address === 0) return new Uint8Array(0);
    const words = new HeaderView(readAddress(source, executable, address, 2 * size), littleEndian);
    if (words.length !== 2 * size) throw malformed(`expected a string at address ${address}`);
    const [start, length] = [words.word(0, size), words.word(size, size)];
    if (!(length <= limit)) throw malformed(`expected a string of at most ${limit} bytes, found ${length}`);
    const bytes = readAddress(source, executable, start, length);
    if (bytes.length !== length) throw malformed(`expected ${length} bytes at address ${start}`);
    return bytes;
  }
}

/** The lines stand between two marks of 16 bytes, by which a debugger finds them in memory. */
function withoutMarks(modules: Uint8Array): Uint8Array {
  if (modules.length >= 33 && modules[modules.length - 17] === 0x0a) return modules.subarray(16, modules.length - 16);
  return new Uint8Array(0);
}

/** What stands between the marks, wherever in the program; nothing where they are not found. */
function markedLines({ source, executable }: Program): Uint8Array {
  let left = longestSearch;
  for (const { offset, size } of executable.segments) {
    for (let from = 0; from < size && left > 0; from += chunk, left -= chunk) {
      const bytes = Buffer.from(source.read(offset + from, Math.min(chunk + markStart.length, size - from)));
      const start = bytes.indexOf(markStart);
      if (start < 0) continue;
      const lines = Buffer.from(source.read(offset + from + start + markStart.length, longestPlain));
      const end = lines.indexOf(markEnd);
      if (end >= 0) return lines.subarray(0, end);
    }
  }
  return new Uint8Array(0);
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw binaryErrors.make("SBOM_BINARY_BUILD_INFO_MALFORMED", "expected UTF-8", { cause });
  }
}

export function malformed(message: string) {
  return binaryErrors.make("SBOM_BINARY_BUILD_INFO_MALFORMED", message);
}
