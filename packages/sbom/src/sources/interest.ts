/** Longest first part of a file that is read to see what it is. */
export const headLength = 64;

const programName = /\.(?:so|node|exe|dll|jar|dylib)$|\.so\.[0-9.]+$/i;

/** True for files whose first bytes are read: executable ones, and those with the name of a library or program. */
export function needsHead(name: string, mode: number): boolean {
  return (mode & 0o111) !== 0 || programName.test(name);
}

/** True for what can be run or loaded, by its first bytes: ELF programs and libraries, Mach-O, PE, scripts. */
export function isProgram(head: Uint8Array, mode: number): boolean {
  if (head.length < 4) return false;
  const magic = ((head[0] ?? 0) << 24) | ((head[1] ?? 0) << 16) | ((head[2] ?? 0) << 8) | (head[3] ?? 0);
  // `#!` makes a program only of a file that may be executed.
  if (magic >>> 16 === 0x2321) return (mode & 0o111) !== 0;
  // ELF, but for relocatable objects (e_type 1), in either byte order.
  if (magic === 0x7f454c46) return !((head[16] === 1 && head[17] === 0) || (head[16] === 0 && head[17] === 1));
  // PE begins with a DOS header of 64 bytes.
  if (magic >>> 16 === 0x4d5a) return head.length >= headLength;
  return machMagics.has(magic >>> 0);
}

const machMagics = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe]);

/** How an archive is packed, by its name; undefined for what is opened by its own cataloger, or is none. */
export type ArchiveKind = "zip" | "tar" | "tar+gzip" | "tar+zstd" | "unread";

const archiveNames: readonly (readonly [RegExp, ArchiveKind])[] = [
  [/\.(?:zip|whl|egg)$/i, "zip"],
  [/\.tar$/i, "tar"],
  [/\.(?:tar\.gz|tgz)$/i, "tar+gzip"],
  [/\.(?:tar\.zst|tzst)$/i, "tar+zstd"],
  [/\.(?:tar\.(?:bz2|xz|lz|lzma|Z)|tbz2?|txz|7z|rar)$/i, "unread"],
];

/** The kind of archive that a name promises. */
export function archiveByName(name: string): ArchiveKind | undefined {
  return archiveNames.find(([pattern]) => pattern.test(name))?.[1];
}

/** The kind of archive that the first bytes show; 262 of them are needed to know a plain tar. */
export function archiveByContent(head: Uint8Array): ArchiveKind | undefined {
  const at = (offset: number, text: string) =>
    text.split("").every((character, index) => head[offset + index] === character.charCodeAt(0));
  if (at(0, "PK\u0003\u0004") || at(0, "PK\u0005\u0006")) return "zip";
  if (head[0] === 0x1f && head[1] === 0x8b) return "tar+gzip";
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return "tar+zstd";
  if (at(257, "ustar")) return "tar";
  if (at(0, "BZh") || at(0, "7z\u00bc\u00af") || at(0, "Rar!") || (head[0] === 0xfd && at(1, "7zXZ"))) return "unread";
  return undefined;
}
