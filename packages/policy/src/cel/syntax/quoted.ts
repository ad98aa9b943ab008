import { syntaxError } from "./refusal.ts";
import type { Token } from "./token.ts";

const opening = /([bB]?)([rR]?)("""|'''|"|')/y;

const simple: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["b", 8],
  ["f", 12],
  ["n", 10],
  ["r", 13],
  ["t", 9],
  ["v", 11],
  ["\\", 92],
  ["?", 63],
  ['"', 34],
  ["'", 39],
  ["`", 96],
]);

/** Text or bytes between quotes, with prefix; undefined where none begins here. */
export function readQuoted(source: string, from: number): Token | undefined {
  opening.lastIndex = from;
  const match = opening.exec(source);
  if (match === null) return undefined;
  const [prefix, bytes, raw, quote = '"'] = match;
  const start = from + prefix.length;
  const end = closing(source, start, quote, raw !== "");
  if (end === -1) throw syntaxError(source, from, `expected a closing ${quote}`);
  const body = source.slice(start, end);
  const to = end + quote.length;
  const isPlain = raw !== "" || !body.includes("\\");
  if (bytes !== "") {
    const value = isPlain ? new TextEncoder().encode(body) : unescapedBytes(source, start, body);
    return { kind: "literal", text: "", from, to, value };
  }
  const value = isPlain ? body : unescapedText(source, start, body);
  if (!value.isWellFormed()) throw syntaxError(source, from, "expected Unicode text, found half of a surrogate pair");
  return { kind: "literal", text: "", from, to, value };
}

function closing(source: string, start: number, quote: string, raw: boolean): number {
  const isTriple = quote.length === 3;
  for (let offset = start; offset < source.length; offset += 1) {
    const character = source[offset];
    if (character === "\\" && !raw) offset += 1;
    else if (!isTriple && (character === "\n" || character === "\r")) return -1;
    else if (character === quote[0] && (!isTriple || source.startsWith(quote, offset))) return offset;
  }
  return -1;
}

interface Escape {
  readonly value: number;
  /** Characters after the backslash. */
  readonly length: number;
  readonly isCodePoint: boolean;
}

function escapeAt(source: string, base: number, body: string, offset: number): Escape {
  const letter = body[offset] ?? "";
  const known = simple.get(letter);
  if (known !== undefined) return { value: known, length: 1, isCodePoint: false };
  const digits = { x: 2, X: 2, u: 4, U: 8 }[letter];
  if (digits !== undefined) {
    const text = body.slice(offset + 1, offset + 1 + digits);
    if (text.length === digits && /^[0-9a-fA-F]+$/.test(text)) {
      return { value: Number.parseInt(text, 16), length: digits + 1, isCodePoint: digits > 2 };
    }
  }
  const octal = body.slice(offset, offset + 3);
  if (/^[0-3][0-7]{2}$/.test(octal)) return { value: Number.parseInt(octal, 8), length: 3, isCodePoint: false };
  throw syntaxError(source, base + offset - 1, `expected an escape sequence of CEL, found \`\\${letter}\``);
}

function unescapedText(source: string, base: number, body: string): string {
  const parts: string[] = [];
  for (let offset = 0; offset < body.length; ) {
    const next = body.indexOf("\\", offset);
    if (next === -1) {
      parts.push(body.slice(offset));
      break;
    }
    const escape = escapeAt(source, base, body, next + 1);
    if (escape.value > 0x10ffff || (escape.value >= 0xd800 && escape.value <= 0xdfff)) {
      throw syntaxError(source, base + next, "expected a code point of Unicode");
    }
    parts.push(body.slice(offset, next), String.fromCodePoint(escape.value));
    offset = next + 1 + escape.length;
  }
  return parts.join("");
}

function unescapedBytes(source: string, base: number, body: string): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < body.length; ) {
    const next = body.indexOf("\\", offset);
    if (next === -1) {
      parts.push(encoder.encode(body.slice(offset)));
      break;
    }
    const escape = escapeAt(source, base, body, next + 1);
    if (escape.isCodePoint) throw syntaxError(source, base + next, "expected a byte: bytes take no \\u or \\U");
    parts.push(encoder.encode(body.slice(offset, next)), Uint8Array.of(escape.value));
    offset = next + 1 + escape.length;
  }
  return Uint8Array.from(Buffer.concat(parts));
}
