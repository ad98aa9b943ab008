import { constants, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { ClassicEnvelope, ClassicSignature } from "./envelope.ts";
import { inTotoErrors } from "./errors.ts";
import { type ClassicKey, classicKeyOf, keyIds, publicKey } from "./key.ts";

/** Somebody who signs layouts and links. */
export interface ClassicSigner {
  readonly key: ClassicKey;
  sign(covered: Uint8Array): Uint8Array;
}

/** A signer with a private key at hand: RSA-PSS, ed25519 or ECDSA. @throws INTOTO_KEY_UNSUPPORTED */
export function classicSigner(privateKey: KeyObject): ClassicSigner {
  const key = classicKeyOf(createPublicKey(privateKey));
  const { hash, options } = algorithm(key);
  return { key, sign: (covered) => sign(hash, covered, { key: privateKey, ...options, ...saltOf(key) }) };
}

/**
 * Signatures of all signers over the same bytes. A link's stands under the id that its layout uses, a layout's under
 * both ids that tools compute: they are given the owner's key without its id.
 */
export function signWith(
  signers: readonly ClassicSigner[],
  ids: "own" | "computed",
): (covered: Uint8Array) => readonly ClassicSignature[] {
  return (covered) =>
    signers.flatMap((signer) => {
      const sig = signer.sign(covered);
      const names = ids === "own" ? [signer.key.keyid] : new Set([signer.key.keyid, ...keyIds(signer.key)]);
      return [...names].map((keyid) => ({ keyid, sig }));
    });
}

/**
 * Keys of those given whose signature verifies, each once, however many ids it has. A signature that names one of them
 * and does not verify counts for nothing and takes nothing.
 */
export function classicSigners(envelope: ClassicEnvelope, keys: Iterable<ClassicKey>): readonly ClassicKey[] {
  const found = new Map<string, ClassicKey>();
  for (const key of keys) {
    if (found.has(key.digest)) continue;
    if (signaturesOf(envelope, key).some((signature) => isGood(envelope, signature, key))) found.set(key.digest, key);
  }
  return [...found.values()];
}

/**
 * Checks that each of the keys signed, as in-toto demands of a layout. At least one key must be given.
 * @throws INTOTO_SIGNATURE_MISSING | INTOTO_SIGNATURE_INVALID
 */
export function verifyClassicSignatures(envelope: ClassicEnvelope, keys: readonly ClassicKey[]): readonly ClassicKey[] {
  if (keys.length === 0) {
    throw inTotoErrors.make("INTOTO_SIGNATURE_MISSING", "expected at least one key to verify with, found none");
  }
  for (const key of keys) {
    const signatures = signaturesOf(envelope, key);
    if (signatures.length === 0) {
      const found = envelope.signatures.map(({ keyid }) => keyid.slice(0, 8)).join(", ");
      const text = `expected a signature by ${key.keyid.slice(0, 8)}, found ${found === "" ? "none" : found}`;
      throw inTotoErrors.make("INTOTO_SIGNATURE_MISSING", text);
    }
    if (!signatures.some((signature) => isGood(envelope, signature, key))) {
      throw inTotoErrors.make("INTOTO_SIGNATURE_INVALID", `the signature by ${key.keyid.slice(0, 8)} does not verify`);
    }
  }
  return classicSigners(envelope, keys);
}

function signaturesOf(envelope: ClassicEnvelope, key: ClassicKey): readonly ClassicSignature[] {
  const ids = new Set([key.keyid, ...keyIds(key)]);
  return envelope.signatures.filter((signature) => ids.has(signature.keyid));
}

function isGood(envelope: ClassicEnvelope, signature: ClassicSignature, key: ClassicKey): boolean {
  const { hash, options } = algorithm(key);
  // Old tools salt with 32 bytes, some with as many as fit.
  const salt = key.keytype === "rsa" ? { saltLength: constants.RSA_PSS_SALTLEN_AUTO } : {};
  return verify(hash, envelope.covered, { key: publicKey(key), ...options, ...salt }, signature.sig);
}

function algorithm(key: ClassicKey): { readonly hash: string | null; readonly options: { readonly padding?: number } } {
  if (key.keytype === "rsa") return { hash: "sha256", options: { padding: constants.RSA_PKCS1_PSS_PADDING } };
  if (key.keytype === "ed25519") return { hash: null, options: {} };
  return { hash: key.scheme === "ecdsa-sha2-nistp384" ? "sha384" : "sha256", options: {} };
}

function saltOf(key: ClassicKey): { readonly saltLength?: number } {
  return key.keytype === "rsa" ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
}
