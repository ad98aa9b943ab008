/**
 * Writes DER (X.690, distinguished encoding rules): just enough for X.509, CMS and RFC 3161.
 * Every function answers a complete element; nesting is by concatenation.
 */

const none = Buffer.alloc(0);

/** One element: identifier octet, definite length, content (X.690 section 8.1). */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of content) length += part.length;
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = tag;
  if (header === 2) bytes[1] = length;
  else {
    bytes[1] = 0x80 | (header - 2);
    bytes.writeUIntBE(length, 2, header - 2);
  }
  let at = header;
  for (const part of content) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** SEQUENCE and SEQUENCE OF. */
export const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content);

/** SET OF: elements in ascending order of their encodings (X.690 section 11.6). */
export function setOf(...content: readonly Uint8Array[]): Buffer {
  return element(0x31, ...[...content].sort((a, b) => Buffer.compare(a, b)));
}

/** Constructed context-specific element, `[n]`: EXPLICIT, or IMPLICIT over a constructed type. */
export const context = (n: number, ...content: readonly Uint8Array[]): Buffer => element(0xa0 | n, ...content);

/** Primitive context-specific element, `[n]` IMPLICIT. */
export const contextPrimitive = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content);

/** INTEGER from a number, a bigint or unsigned big-endian bytes; shortest form, never negative. */
export function integer(value: number | bigint | Uint8Array): Buffer {
  let bytes: Uint8Array;
  if (typeof value === "object") bytes = value;
  else {
    const hex = value.toString(16);
    bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  }
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.length === 0 ? Buffer.of(0) : bytes.subarray(start);
  return (shortest[0] as number) >= 0x80 ? element(0x02, Buffer.of(0), shortest) : element(0x02, shortest);
}

/** BOOLEAN: true is 0xff (X.690 section 11.1). */
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.of(value ? 0xff : 0));

/** NULL. */
export const nullValue = (): Buffer => element(0x05, none);

/** OCTET STRING, primitive. */
export const octetString = (...content: readonly Uint8Array[]): Buffer => element(0x04, ...content);

/** BIT STRING of whole octets. */
export const bitString = (content: Uint8Array): Buffer => element(0x03, Buffer.of(0), content);

/**
 * BIT STRING of a named bit list, from the set bits: trailing zero bits are dropped (X.690 section 11.2.2).
 * Bit 0 is the first, most significant one. At most sixteen bits.
 */
export function namedBits(...bits: readonly number[]): Buffer {
  const last = Math.max(-1, ...bits);
  if (last < 0) return element(0x03, Buffer.of(0));
  const octets = Buffer.alloc((last >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] as number) | (0x80 >> (bit & 7));
  return element(0x03, Buffer.of(7 - (last & 7)), octets);
}

/** OBJECT IDENTIFIER from its dotted spelling; arcs up to 2^53. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const base128 = [arc % 128];
    for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128))
      base128.unshift((more % 128) | 0x80);
    octets.push(...base128);
  }
  return element(0x06, Buffer.from(octets));
}

/** UTF8String. */
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text, "utf8"));

/** Certificate time (RFC 5280 section 4.1.2.5): UTCTime until 2049, GeneralizedTime after, whole seconds. */
export function certificateTime(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return at.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(`${digits.slice(2)}Z`, "latin1"))
    : element(0x18, Buffer.from(`${digits}Z`, "latin1"));
}

/**
 * GeneralizedTime with milliseconds. DER forbids trailing zeros in the fraction, and the point when none is left
 * (X.690 section 11.7): 10.500 is `10.5`, 10.000 is `10`.
 */
export function generalizedTime(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, "").slice(0, 18);
  return element(0x18, Buffer.from(`${digits.replace(/\.?0+$/, "")}Z`, "latin1"));
}
