import { coreErrors } from "./errors.ts";

/** From this length on, canonicity is checked without spelling the bytes again. */
const LONG_TEXT = 64 * 1024;

/** Decodes base64 (RFC 4648 §4) strictly: padded, no white space, no stray bits. @throws ENCODING_INVALID */
export function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (text.length < LONG_TEXT ? bytes.toString("base64") !== text : !isCanonical(text, bytes)) {
    throw coreErrors.make("ENCODING_INVALID", "expected canonical padded base64 (RFC 4648 section 4)");
  }
  return bytes;
}

/**
 * The decoder skips what is foreign, which shows in the length, and takes the URL alphabet, which is looked for; stray
 * bits can only stand in the last group.
 */
function isCanonical(text: string, bytes: Buffer): boolean {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return (
    text.length % 4 === 0 &&
    bytes.length === (text.length / 4) * 3 - padding &&
    !text.includes("-") &&
    !text.includes("_") &&
    bytes.subarray(bytes.length - (3 - padding)).toString("base64") === text.slice(-4)
  );
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
