import { decodeBase64 } from "@touchmark/core";
import { openpgpErrors } from "./errors.ts";

/** Kinds of armour that are read (RFC 9580 §6.2). */
export type ArmorKind = "PUBLIC KEY BLOCK" | "SIGNATURE";

const headerShape = /^(?:Version|Comment|MessageID|Hash|Charset):(?: [\x20-\x7e\u00a0-\uffff]{0,500})?$/;
const maxHeaders = 16;

const malformed = (why: string): Error => openpgpErrors.make("OPENPGP_ARMOR_MALFORMED", why);

/** True when bytes begin as armour does, after white space: no packet begins with such an octet. */
export function isArmored(bytes: Uint8Array): boolean {
  return /^\s*-----BEGIN PGP /.test(Buffer.from(bytes.subarray(0, 200)).toString("latin1"));
}

/** Lines of a text; both line ends are taken, and a lone carriage return is no line end. */
export function armorLines(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/**
 * Decodes exactly one block; only white space may stand around it.
 * @throws OPENPGP_ARMOR_MALFORMED | OPENPGP_ARMOR_CHECKSUM
 */
export function decodeArmor(bytes: Uint8Array, kind: ArmorKind): Uint8Array {
  const blocks = decodeBlocks(armorLines(bytes), kind, (line) => {
    if (line.trim() !== "") throw malformed(`found a line outside the armour: ${JSON.stringify(line.slice(0, 60))}`);
  });
  const [block, ...more] = blocks;
  if (block === undefined || more.length > 0) throw malformed(`expected one ${kind}, found ${blocks.length}`);
  return block;
}

/**
 * Decodes the blocks of a key file, which may have explanations between them, as projects publish theirs. No line
 * outside a block may look like a part of armour.
 * @throws OPENPGP_ARMOR_MALFORMED | OPENPGP_ARMOR_CHECKSUM
 */
export function decodeKeyBlocks(bytes: Uint8Array): Uint8Array[] {
  return decodeBlocks(armorLines(bytes), "PUBLIC KEY BLOCK", (line) => {
    if (/^\s*-----/.test(line)) throw malformed(`found ${JSON.stringify(line.slice(0, 60))} outside a key block`);
  });
}

function decodeBlocks(lines: readonly string[], kind: ArmorKind, outside: (line: string) => void): Uint8Array[] {
  const begin = `-----BEGIN PGP ${kind}-----`;
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.trimEnd() !== begin) {
      outside(line);
      continue;
    }
    const end = lines.findIndex((each, n) => n > at && each.startsWith("-----"));
    if (end < 0 || lines[end]?.trimEnd() !== `-----END PGP ${kind}-----`) {
      throw malformed(`expected the end of the ${kind}`);
    }
    blocks.push(decodeBody(lines.slice(at + 1, end).map((each) => each.trimEnd())));
    at = end;
  }
  return blocks;
}

/** What stands between the armour lines: headers, an empty line, base64, and maybe a checksum. */
function decodeBody(lines: readonly string[]): Uint8Array {
  const gap = lines.indexOf("");
  if (gap < 0 || gap > maxHeaders) throw malformed("expected headers and an empty line within the armour");
  const bad = lines.slice(0, gap).find((line) => !headerShape.test(line));
  if (bad !== undefined) throw malformed(`expected a header of armour, found ${JSON.stringify(bad.slice(0, 60))}`);
  const body = lines.slice(gap + 1);
  while (body.at(-1) === "") body.pop();
  const checksum = body.at(-1)?.startsWith("=") ? body.pop() : undefined;
  const empty = body.indexOf("");
  if (body.length === 0 || empty >= 0) throw malformed("expected base64 without empty lines within the armour");
  // Every line but the last holds whole groups, so that no line can hide padding.
  if (body.slice(0, -1).some((line) => line.includes("="))) throw malformed("found padding before the last line");
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(body.join(""));
  } catch (cause) {
    throw openpgpErrors.make("OPENPGP_ARMOR_MALFORMED", "expected canonical base64 within the armour", { cause });
  }
  if (checksum !== undefined) checkChecksum(bytes, checksum);
  return bytes;
}

function checkChecksum(bytes: Uint8Array, line: string): void {
  if (!/^=[A-Za-z0-9+/]{4}$/.test(line))
    throw malformed(`expected a checksum, found ${JSON.stringify(line.slice(0, 40))}`);
  const stated = Buffer.from(line.slice(1), "base64").readUIntBE(0, 3);
  const found = crc24(bytes);
  if (stated !== found) {
    throw openpgpErrors.make(
      "OPENPGP_ARMOR_CHECKSUM",
      `expected the checksum ${stated.toString(16)}, found ${found.toString(16)}`,
    );
  }
}

/** CRC-24 of RFC 9580 §6.1.1. */
export function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const octet of bytes) {
    crc ^= octet << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}
