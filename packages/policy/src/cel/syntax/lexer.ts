import { Uint, uint64Maximum } from "../runtime/values.ts";
import { readQuoted } from "./quoted.ts";
import { syntaxError } from "./refusal.ts";
import type { Token } from "./token.ts";

const twoCharacters = new Set(["&&", "||", "==", "!=", "<=", ">=", ".?", "[?"]);
const oneCharacter = "()[]{}.,:?+-*/%!<>";

/** Cuts an expression into tokens; the last is `end`. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  for (;;) {
    offset = afterSpace(source, offset);
    if (offset >= source.length) break;
    const token = tokenAt(source, offset);
    tokens.push(token);
    offset = token.to;
  }
  tokens.push({ kind: "end", text: "", from: source.length, to: source.length });
  return tokens;
}

function afterSpace(source: string, start: number): number {
  let offset = start;
  while (offset < source.length) {
    const character = source[offset];
    if (character === "/" && source[offset + 1] === "/") {
      const end = source.indexOf("\n", offset);
      offset = end === -1 ? source.length : end + 1;
    } else if (
      character === " " ||
      character === "\n" ||
      character === "\t" ||
      character === "\r" ||
      character === "\f"
    ) {
      offset += 1;
    } else break;
  }
  return offset;
}

function tokenAt(source: string, from: number): Token {
  const code = source.charCodeAt(from);
  if (isLetter(code)) {
    const quoted = readQuoted(source, from);
    return quoted ?? nameAt(source, from);
  }
  if (isDigit(code) || (code === 46 && isDigit(source.charCodeAt(from + 1)))) return numberAt(source, from);
  if (code === 34 || code === 39) {
    const quoted = readQuoted(source, from);
    if (quoted !== undefined) return quoted;
  }
  if (code === 96) return backtickAt(source, from);
  const pair = source.slice(from, from + 2);
  if (twoCharacters.has(pair)) return { kind: "op", text: pair, from, to: from + 2 };
  const character = source[from] ?? "";
  if (oneCharacter.includes(character)) return { kind: "op", text: character, from, to: from + 1 };
  throw syntaxError(source, from, `expected CEL, found \`${String.fromCodePoint(source.codePointAt(from) ?? 0)}\``);
}

function nameAt(source: string, from: number): Token {
  let to = from + 1;
  for (let code = source.charCodeAt(to); isLetter(code) || isDigit(code); code = source.charCodeAt(to)) to += 1;
  return { kind: "name", text: source.slice(from, to), from, to };
}

const backtick = /`[A-Za-z0-9_.\-/ ]+`/y;

function backtickAt(source: string, from: number): Token {
  backtick.lastIndex = from;
  const text = backtick.exec(source)?.[0];
  if (text === undefined) throw syntaxError(source, from, "expected a field name between backticks");
  return { kind: "quoted", text: text.slice(1, -1), from, to: from + text.length };
}

const hexadecimal = /0[xX]([0-9a-fA-F]+)([uU]?)/y;
const double = /(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)/y;
const whole = /([0-9]+)([uU]?)/y;

function numberAt(source: string, from: number): Token {
  hexadecimal.lastIndex = from;
  double.lastIndex = from;
  whole.lastIndex = from;
  const fraction = double.exec(source)?.[0];
  if (fraction !== undefined) {
    const to = from + fraction.length;
    const value = Number(fraction);
    if (!Number.isFinite(value)) throw syntaxError(source, from, `expected a double, found ${fraction}`);
    return endOfNumber(source, { kind: "literal", text: fraction, from, to, value });
  }
  const hex = hexadecimal.exec(source);
  const match = hex ?? whole.exec(source);
  const digits = match?.[1] ?? "0";
  const to = from + (match?.[0] ?? "").length;
  if (digits.length > 80) throw syntaxError(source, from, "expected a number of 64 bits, found a longer one");
  const magnitude = BigInt(hex === null ? digits : `0x${digits}`);
  if (match?.[2] === "") return endOfNumber(source, { kind: "literal", text: digits, from, to, magnitude });
  if (magnitude > uint64Maximum) throw syntaxError(source, from, `expected a uint of 64 bits, found ${digits}`);
  return endOfNumber(source, { kind: "literal", text: digits, from, to, value: new Uint(magnitude) });
}

function endOfNumber(source: string, token: Token): Token {
  const next = source.charCodeAt(token.to);
  if (isLetter(next) || isDigit(next)) throw syntaxError(source, token.to, "expected the end of a number");
  return token;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
