import { coreErrors } from "./errors.ts";

const base64Shape = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Decodes base64 (RFC 4648 §4) strictly: padded, no white space, no stray bits. @throws ENCODING_INVALID */
export function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  // Comparing lengths first keeps large inputs cheap; the round trip refuses stray bits and foreign characters.
  if (text.length % 4 !== 0 || (text.length < 4096 && !base64Shape.test(text)) || bytes.toString("base64") !== text) {
    throw coreErrors.make("ENCODING_INVALID", "expected canonical padded base64 (RFC 4648 section 4)");
  }
  return bytes;
}

/** Encodes base64 (RFC 4648 §4), padded. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Decodes lower-case hexadecimal strictly. @throws ENCODING_INVALID */
export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw coreErrors.make("ENCODING_INVALID", "expected lower-case hexadecimal digits in pairs");
  }
  return Buffer.from(text, "hex");
}

/** Encodes lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** True when both hold the same bytes. Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
