import { createHash, createVerify, type Hash, type Verify, verify } from "node:crypto";
import { equalBytes } from "@touchmark/core";
import { openpgpErrors } from "./errors.ts";
import { Octets } from "./octets.ts";
import type { PublicKey, VerifyingKey } from "./public-key.ts";
import type { Signature } from "./signature-packet.ts";

/** Hashes that count, by number: name for the crypto library, and octets. */
const accepted: Readonly<Record<number, { readonly name: string; readonly size: number }>> = {
  8: { name: "sha256", size: 32 },
  9: { name: "sha384", size: 48 },
  10: { name: "sha512", size: 64 },
};

/** Hashes that nothing may rest on, but that are read so that a revocation made with them is heard. */
const broken: Readonly<Record<number, { readonly name: string; readonly size: number }>> = {
  ...accepted,
  2: { name: "sha1", size: 20 },
  11: { name: "sha224", size: 28 },
};

/** A verification of one signature with one key, fed with what was signed. */
export interface SignatureCheck {
  update(chunk: Uint8Array): void;
  /** True when the signature holds. Call once. */
  finish(): boolean;
}

/** @throws OPENPGP_HASH_REFUSED for MD5, SHA-1 and whatever else is no SHA-2 of at least 256 bits */
export function checkHash(signature: Signature, key?: VerifyingKey): void {
  const hash = Object.hasOwn(accepted, signature.hash) ? accepted[signature.hash] : undefined;
  if (hash === undefined) {
    throw openpgpErrors.make(
      "OPENPGP_HASH_REFUSED",
      `expected a signature over SHA-256, SHA-384 or SHA-512, found ${signature.hashName}`,
    );
  }
  // RFC 9580 §5.2.3.2: an ECDSA hash is as long as the curve's field, or 512 bits for P-521.
  if (key?.kind === "ecdsa" && hash.size < Math.min(key.width, 64)) {
    throw openpgpErrors.make(
      "OPENPGP_HASH_REFUSED",
      `expected a hash as long as the key's curve, found ${signature.hashName}`,
    );
  }
}

/**
 * Begins a verification. With `evenBroken`, SHA-1 and SHA-224 are computed too: for revocations, which hold either way.
 * @throws OPENPGP_HASH_REFUSED | OPENPGP_ALGORITHM_REFUSED | OPENPGP_KEY_WEAK | OPENPGP_PACKET_MALFORMED
 */
export function beginCheck(signature: Signature, key: PublicKey, evenBroken = false): SignatureCheck {
  if (signature.algorithm !== key.algorithm) {
    throw openpgpErrors.make(
      "OPENPGP_SIGNATURE_INVALID",
      `expected a signature by ${key.algorithmName}, which its key is for, found one by ${signature.algorithmName}`,
    );
  }
  const verifying = key.verifying();
  const table = evenBroken ? broken : accepted;
  const hash = Object.hasOwn(table, signature.hash) ? table[signature.hash] : undefined;
  if (hash === undefined || !evenBroken) checkHash(signature, verifying);
  const { name } = hash as { readonly name: string };
  const values = readValues(signature, verifying);
  const digest: Hash = createHash(name);
  // The library verifies RSA and ECDSA over the content alone, not over its digest, so both are fed.
  const streamed: Verify | undefined =
    verifying.kind === "rsa" || verifying.kind === "ecdsa" ? createVerify(name) : undefined;
  return {
    update(chunk) {
      digest.update(chunk);
      streamed?.update(chunk);
    },
    finish() {
      digest.update(signature.trailer);
      streamed?.update(signature.trailer);
      const sum = digest.digest();
      if (!equalBytes(sum.subarray(0, 2), signature.left16)) return false;
      if (streamed === undefined) return verify(null, sum, verifying.key, values);
      const key = verifying.key;
      return streamed.verify(verifying.kind === "ecdsa" ? { key, dsaEncoding: "ieee-p1363" } : key, values);
    },
  };
}

/** The signature as the crypto library takes it. */
function readValues(signature: Signature, { kind, width }: VerifyingKey): Uint8Array {
  const reader = new Octets(signature.values);
  if (kind === "ed25519") {
    const values = reader.take(64);
    reader.end();
    return values;
  }
  const count = kind === "rsa" ? 1 : 2;
  const parts = Array.from({ length: count }, () => padded(reader.integer(8 * width), width));
  reader.end();
  return Buffer.concat(parts);
}

function padded(octets: Uint8Array, width: number): Uint8Array {
  return Buffer.concat([Buffer.alloc(width - octets.length), octets]);
}

/** True when the signature holds over these parts. @throws as {@link beginCheck} */
export function holds(signature: Signature, key: PublicKey, parts: readonly Uint8Array[], evenBroken = false): boolean {
  const check = beginCheck(signature, key, evenBroken);
  for (const part of parts) check.update(part);
  return check.finish();
}
