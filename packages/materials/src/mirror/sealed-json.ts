import { canonicalJson, digestHex, type Json, parseJson, sha256 } from "@touchmark/core";

/** A JSON object with its members by name. */
export type JsonObject = { readonly [name: string]: Json };

/** Most bytes of one document of the mirror. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Text of a document: canonical JSON (RFC 8785) with a checksum over the rest, and a final line end. */
export function sealJson(document: object): string {
  return `${canonicalJson({ ...document, checksum: checksumOf(document) })}\n`;
}

/**
 * Reads a document that `sealJson` wrote. Any other byte anywhere, even one that means the same, is refused.
 * @throws Error
 */
export function unsealJson(bytes: Uint8Array, maxBytes = MAX_DOCUMENT_BYTES): JsonObject {
  const value = parseJson(bytes, { maxBytes, maxDepth: 8 });
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no object");
  const { checksum, ...document } = value as JsonObject;
  if (checksum !== checksumOf(document)) throw new Error("its checksum is another");
  if (`${canonicalJson(value)}\n` !== Buffer.from(bytes).toString("utf8")) throw new Error("it is not canonical");
  return document;
}

function checksumOf(document: object): string {
  return digestHex(sha256(canonicalJson(document)));
}
