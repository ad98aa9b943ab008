import { createHash, hash } from "node:crypto";
import { coreErrors } from "./errors.ts";

/** A SHA-256 digest in OCI spelling: `sha256:` and 64 lower-case hexadecimal digits (OCI image-spec, "Digests"). */
export type Digest = `sha256:${string}`;

const shape = /^sha256:[0-9a-f]{64}$/;

/** SHA-256 of bytes or UTF-8 text, in OCI spelling. */
export function sha256(content: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", content, "hex")}`;
}

/** SHA-256 of bytes or UTF-8 text, raw. */
export function sha256Bytes(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const h = createHash("sha256");
  for (const part of parts) h.update(part);
  return h.digest();
}

/** Reads a digest, refusing any other spelling. @throws DIGEST_MALFORMED */
export function parseDigest(text: string): Digest {
  if (!shape.test(text)) {
    throw coreErrors.make(
      "DIGEST_MALFORMED",
      `expected sha256:<64 hex digits>, found ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  return text as Digest;
}

/** True when the text is a digest in OCI spelling. */
export function isDigest(text: string): text is Digest {
  return shape.test(text);
}

/** The 64 hexadecimal digits of a digest, as in-toto digest sets spell it. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}
