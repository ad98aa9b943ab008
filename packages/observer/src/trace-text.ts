import { isUtf8 } from "node:buffer";

const ESCAPE = /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gs;
const LETTERS: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", v: "\v", f: "\f" };

/** Undoes strace's escapes: the result holds one character per byte. */
export function unescapeText(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    ESCAPE,
    (_all, hex: string | undefined, octal: string | undefined, letter: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
      return LETTERS[letter ?? ""] ?? letter ?? "";
    },
  );
}

/** A directory given by descriptor. One that was removed holds nothing more, so `(deleted)` belongs to its name. */
export function directoryOf(found: { path: string; deleted: boolean }): string {
  return found.deleted ? `${found.path} (deleted)` : found.path;
}

/** A quoted argument: its bytes, and whether strace cut it short. Undefined when the argument is no string. */
export function quotedText(argument: string): { text: string; cut: boolean } | undefined {
  if (!argument.startsWith('"')) return undefined;
  const cut = argument.endsWith('"...');
  const end = cut ? argument.length - 4 : argument.length - 1;
  if (end < 1 || argument.charCodeAt(end) !== 34) return undefined;
  return { text: unescapeText(argument.slice(1, end)), cut };
}

/**
 * A descriptor as strace prints it: `3</path>`, `AT_FDCWD</path>`, `3</path>(deleted)`. The kernel ends the path of a removed
 * file in ` (deleted)`, which strace sets apart, and which a file's own name may end in just as well: `deleted` is either.
 */
export function descriptor(argument: string): { path: string; deleted: boolean; current: boolean } | undefined {
  const match = /^(AT_FDCWD|-?\d+)<([^>]*)>(\(deleted\))?$/.exec(argument);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { path: unescapeText(match[2]), deleted: match[3] !== undefined, current: match[1] === "AT_FDCWD" };
}

/**
 * A name for people and documents: UTF-8 where the bytes are, otherwise each byte outside of printable ASCII as `\xHH`
 * and each backslash doubled, which is marked by the prefix `bytes:`.
 */
export function displayName(bytes: string): string {
  if (/^[\x20-\x7e]*$/.test(bytes)) return bytes;
  const raw = Buffer.from(bytes, "latin1");
  if (isUtf8(raw)) return raw.toString("utf8");
  const escaped = bytes.replace(/[^\x20-\x7e]|\\/g, (c) =>
    c === "\\" ? "\\\\" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `bytes:${escaped}`;
}

/** The same bytes as an argument for the file system. */
export function fileName(bytes: string): string | Buffer {
  return /^[\x00-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/** UTF-8 text as one character per byte, the form in which the observer keeps names. */
export function toBytes(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
