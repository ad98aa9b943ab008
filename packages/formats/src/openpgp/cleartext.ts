import { openpgpErrors } from "./errors.ts";
import type { Keyring } from "./keyring.ts";
import type { Signature } from "./signature-packet.ts";
import { signatureType } from "./signature-packet.ts";
import { beginVerification, readSignature, type VerifiedOpenPgp } from "./verification.ts";

/** A cleartext-signed document, taken apart and not yet verified (RFC 9580 §7). */
export interface CleartextDocument {
  /** What is signed, lines ending in `\n`: dash-escapes undone, white space at the ends of lines removed. */
  readonly text: string;
  readonly signatures: readonly Signature[];
}

/** A cleartext-signed document whose signature holds. Only `text` was signed. */
export interface VerifiedCleartext extends VerifiedOpenPgp {
  readonly text: string;
}

/** Largest document, in bytes. */
export const MAX_CLEARTEXT_BYTES = 32 * 1024 * 1024;

const malformed = (why: string): Error => openpgpErrors.make("OPENPGP_CLEARTEXT_MALFORMED", why);

/** True when a document begins as a cleartext-signed one. */
export function isCleartextSigned(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 40)).toString("latin1").startsWith("-----BEGIN PGP SIGNED MESSAGE-----");
}

/**
 * Takes a document apart strictly: it begins with its first line and ends with its signature, so that nothing can stand
 * outside the signed part; `Hash` is its one header; every line that begins with a dash is escaped.
 * @throws OPENPGP_CLEARTEXT_MALFORMED | OPENPGP_TOO_LARGE and what {@link readSignature} throws
 */
export function readCleartext(bytes: Uint8Array): CleartextDocument {
  if (bytes.length > MAX_CLEARTEXT_BYTES) {
    throw openpgpErrors.make("OPENPGP_TOO_LARGE", `expected a document of at most ${MAX_CLEARTEXT_BYTES} bytes`);
  }
  const lines = linesOf(bytes);
  if (lines[0] !== "-----BEGIN PGP SIGNED MESSAGE-----")
    throw malformed("expected a signed message from the first line on");
  const gap = lines.indexOf("");
  if (gap < 2) throw malformed("expected a Hash header and an empty line before the text");
  const named = lines.slice(1, gap).flatMap(hashesOf);
  const end = lines.indexOf("-----BEGIN PGP SIGNATURE-----", gap);
  if (end < 0) throw malformed("expected a signature after the text");
  const text = lines
    .slice(gap + 1, end)
    .map(signedLine)
    .join("\n");
  const signatures = readSignature(Buffer.from(`${lines.slice(end).join("\n")}\n`, "latin1"));
  const other = signatures.find(({ hashName }) => !named.includes(hashName.replace("-", "")));
  if (other !== undefined) throw malformed(`expected a Hash header that names ${other.hashName}`);
  return { text: Buffer.from(text, "latin1").toString("utf8"), signatures };
}

/** Lines without their ends. A carriage return elsewhere would be a line end to some readers and none to others. */
function linesOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.split("\n").map((line) => {
    const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (/[\r\0]/.test(plain)) throw malformed("found a lone carriage return or a NUL in the document");
    return plain;
  });
}

function hashesOf(line: string): string[] {
  const names = /^Hash: ([A-Z0-9-]{3,12}(?:, ?[A-Z0-9-]{3,12}){0,7})$/.exec(line)?.[1];
  if (names === undefined)
    throw malformed(`expected Hash as the one header, found ${JSON.stringify(line.slice(0, 60))}`);
  return names.split(/, ?/);
}

function signedLine(line: string): string {
  if (line.startsWith("-") && !line.startsWith("- ")) {
    throw malformed(`expected an escaped dash, found ${JSON.stringify(line.slice(0, 60))}`);
  }
  return (line.startsWith("- ") ? line.slice(2) : line).replace(/[ \t]+$/, "");
}

/**
 * Verifies a cleartext-signed document. What it answers is the text that was signed, and nothing else of the document.
 * @throws what {@link readCleartext} and `verifyDetached` throw
 */
export function verifyCleartext(keyring: Keyring, document: Uint8Array, at: Date): VerifiedCleartext {
  const { text, signatures } = readCleartext(document);
  const verification = beginVerification(keyring, signatures, at, signatureType.text);
  verification.update(Buffer.from(text.replaceAll("\n", "\r\n")));
  return { ...verification.finish(), text };
}
