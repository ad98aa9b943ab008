import { wrong } from "./members.ts";

const quote = 0x22;
const backslash = 0x5c;

/**
 * Members of the object that a JSON text is, one after the other, each with the bytes of its value: a feed of a hundred
 * megabytes needs no tree of all of it. What is before damage is given; the damage is then thrown.
 * @throws ADVISORY_MALFORMED
 */
export function* jsonMembers(bytes: Uint8Array): Generator<readonly [key: string, value: Uint8Array]> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = expect(text, blank(text, 0), 0x7b);
  at = blank(text, at);
  if (text[at] === 0x7d) return ended(text, at + 1);
  for (;;) {
    const keyEnd = stringEnd(text, at);
    const key = parsed(text.toString("utf8", at, keyEnd));
    const from = blank(text, expect(text, blank(text, keyEnd), 0x3a));
    const to = valueEnd(text, from);
    yield [key, text.subarray(from, to)];
    at = blank(text, to);
    if (text[at] === 0x7d) return ended(text, at + 1);
    at = blank(text, expect(text, at, 0x2c));
  }
}

function parsed(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return wrong("a key of JSON");
  }
}

function ended(text: Buffer, at: number): void {
  if (blank(text, at) !== text.length) wrong("nothing behind the JSON object");
}

function expect(text: Buffer, at: number, byte: number): number {
  return text[at] === byte ? at + 1 : wrong(`${String.fromCharCode(byte)} at byte ${at} of the JSON text`);
}

function blank(text: Buffer, from: number): number {
  let at = from;
  for (let c = text[at]; c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text[at]) at++;
  return at;
}

function stringEnd(text: Buffer, at: number): number {
  if (text[at] !== quote) return wrong(`a key at byte ${at} of the JSON text`);
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === backslash) i++;
    else if (text[i] === quote) return i + 1;
  }
  return wrong("a whole JSON text, found its end inside of a string");
}

/** Behind the value that begins here. What is inside of it is checked by whoever parses it. */
function valueEnd(text: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === quote) {
      at = stringEnd(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (c === 0x2c && depth === 0) return at;
  }
  return wrong("a whole JSON text, found its end inside of a value");
}
