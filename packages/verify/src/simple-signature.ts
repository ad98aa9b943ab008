import { createPublicKey, verify } from "node:crypto";
import { type Digest, decodeBase64, type Json, parseJson, sha256 } from "@touchmark/core";
import { imageSignatureErrors } from "./image-signature-errors.ts";
import { readPublicKey, type VerificationKey } from "./public-key.ts";

/** What `cosign sign` of before version 3 left under the tag `sha256-DIGEST.sig`. */
export interface SimpleSignature {
  /** Bytes of the layer: "simple signing" JSON. */
  readonly payload: Uint8Array;
  /** Annotation `dev.cosignproject.cosign/signature`. */
  readonly signature: string;
}

/** A key that vouches for an image. */
export interface ImageSigner {
  /** Digest of the key, or of the certificate that signed. */
  readonly identity: Digest;
}

const MAX_PAYLOAD = 64 * 1024;

/**
 * Verifies a simple-signing signature of an image by one of the given public keys (PEM). Certificates and logs beside it
 * count for nothing: whoever trusts them asks for a bundle.
 * @throws IMAGE_SIGNATURE_MALFORMED | IMAGE_SIGNATURE_OTHER_IMAGE | IMAGE_SIGNATURE_INVALID | KEY_MALFORMED | ALGORITHM_REFUSED
 */
export function verifySimpleSignature(given: SimpleSignature, image: Digest, keys: readonly string[]): ImageSigner {
  const signed = simplePayload(given.payload);
  if (signed !== image) {
    throw imageSignatureErrors.make(
      "IMAGE_SIGNATURE_OTHER_IMAGE",
      `expected a signature of ${image}, found one of ${signed}`,
    );
  }
  let signature: Uint8Array;
  try {
    signature = decodeBase64(given.signature);
  } catch (cause) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected a signature in base64", { cause });
  }
  for (const key of keys.map(pemKey)) {
    if (verify(key.hash ?? null, given.payload, key.key, signature)) return { identity: sha256(key.der) };
  }
  throw imageSignatureErrors.make("IMAGE_SIGNATURE_INVALID", "none of the keys given made the signature");
}

/** Reads a PEM public key of the user's. @throws KEY_MALFORMED | ALGORITHM_REFUSED */
function pemKey(pem: string): VerificationKey {
  try {
    return readPublicKey(createPublicKey(pem).export({ format: "der", type: "spki" }));
  } catch (cause) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_KEY", "expected a PEM public key of a known kind", { cause });
  }
}

function simplePayload(payload: Uint8Array): string {
  const document = readObject(payload, "simple-signing payload");
  const critical = member(document, "critical");
  if (critical["type"] !== "cosign container image signature") {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected the type of a cosign image signature");
  }
  const digest = member(critical, "image")["docker-manifest-digest"];
  if (typeof digest !== "string") {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", "expected a docker-manifest-digest");
  }
  return digest;
}

/** A JSON object from untrusted bytes. @throws IMAGE_SIGNATURE_MALFORMED */
export function readObject(bytes: Uint8Array, what: string): { readonly [name: string]: Json } {
  try {
    const value = parseJson(bytes, { maxBytes: MAX_PAYLOAD });
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as { readonly [name: string]: Json };
    }
  } catch (cause) {
    throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", `expected a ${what} in JSON`, { cause });
  }
  throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", `expected a ${what} that is a JSON object`);
}

function member(of: { readonly [name: string]: Json }, name: string): { readonly [name: string]: Json } {
  const value = Object.hasOwn(of, name) ? of[name] : undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as { readonly [name: string]: Json };
  }
  throw imageSignatureErrors.make("IMAGE_SIGNATURE_MALFORMED", `expected an object ${name}`);
}
