import { createPublicKey, createVerify, type KeyObject, verify, X509Certificate } from "node:crypto";
import { equalBytes, type FactoryError } from "@touchmark/core";
import type { Certificate, HashAlgorithmName } from "@touchmark/formats/evidence";
import { verifyErrors } from "./errors.ts";

/** The hash that goes with a key, in the spellings of node:crypto and of log entries; none for Ed25519. */
export type HashName = "sha256" | "sha384" | "sha512";

const hashSpellings: Readonly<Record<HashName, HashAlgorithmName>> = {
  sha256: "SHA2_256",
  sha384: "SHA2_384",
  sha512: "SHA2_512",
};

/** A public key that may verify here: P-256, P-384, P-521, RSA from 2048 bits, Ed25519. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly family: "ec" | "rsa" | "ed25519";
  /** Hash of signatures over content; certificates name their own. */
  readonly hash: HashName | undefined;
  /** The hash as log entries spell it. */
  readonly hashSpelling: HashAlgorithmName | undefined;
  /** `sigstore_common.proto`, PublicKeyDetails. */
  readonly details: string;
  /** DER SubjectPublicKeyInfo. */
  readonly der: Uint8Array;
}

const curves: Readonly<Record<string, readonly [HashName, string]>> = {
  prime256v1: ["sha256", "PKIX_ECDSA_P256_SHA_256"],
  secp384r1: ["sha384", "PKIX_ECDSA_P384_SHA_384"],
  secp521r1: ["sha512", "PKIX_ECDSA_P521_SHA_512"],
};

/** Reads a DER SubjectPublicKeyInfo. @throws KEY_MALFORMED | ALGORITHM_REFUSED */
export function readPublicKey(der: Uint8Array): VerificationKey {
  return describeKey(
    readable(() => createPublicKey({ key: der as Buffer, format: "der", type: "spki" })),
    der,
  );
}

/** Reads the key of a certificate, which is half as dear as reading it by itself. @throws KEY_MALFORMED | ALGORITHM_REFUSED */
export function readCertificateKey(certificate: Certificate): VerificationKey {
  return describeKey(
    readable(() => new X509Certificate(certificate.der).publicKey),
    certificate.publicKey,
  );
}

function readable(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch (cause) {
    throw verifyErrors.make("KEY_MALFORMED", "expected a SubjectPublicKeyInfo of a known algorithm", { cause });
  }
}

/** All that stands before an uncompressed point of P-256 in a SubjectPublicKeyInfo. */
const p256Prefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** Reads a key of the trusted root, whose kind is named beside it. @throws KEY_MALFORMED | ALGORITHM_REFUSED */
export function readNamedKey(der: Uint8Array, details: string): VerificationKey {
  // The oldest certificate logs have their keys in the form that RSA keys had before SubjectPublicKeyInfo.
  const key = details.startsWith("PKCS1_RSA_") ? readPublicKey(rewrapRsa(der)) : readPublicKey(der);
  const family = key.family === "ec" ? key.details : key.family === "rsa" ? "RSA_" : "PKIX_ED25519";
  if (!details.includes(family)) {
    throw verifyErrors.make("ALGORITHM_REFUSED", `expected a key of ${details.slice(0, 60)}, found ${key.details}`);
  }
  return key;
}

function rewrapRsa(der: Uint8Array): Uint8Array {
  try {
    const key = createPublicKey({ key: der as Buffer, format: "der", type: "pkcs1" });
    return key.export({ format: "der", type: "spki" });
  } catch (cause) {
    throw verifyErrors.make("KEY_MALFORMED", "expected an RSA public key", { cause });
  }
}

function describeKey(key: KeyObject, der: Uint8Array): VerificationKey {
  const of = (family: VerificationKey["family"], hash: HashName | undefined, details: string): VerificationKey => ({
    key,
    family,
    hash,
    hashSpelling: hash && hashSpellings[hash],
    details,
    der,
  });
  // By far the most frequent kind; asking OpenSSL costs as much as a third of a verification's own work.
  if (der.length === 91 && equalBytes(der.subarray(0, p256Prefix.length), p256Prefix)) {
    return of("ec", "sha256", "PKIX_ECDSA_P256_SHA_256");
  }
  const { namedCurve = "", modulusLength: bits = 0 } = key.asymmetricKeyDetails ?? {};
  const curve = key.asymmetricKeyType === "ec" ? curves[namedCurve] : undefined;
  if (curve !== undefined) return of("ec", ...curve);
  if (key.asymmetricKeyType === "rsa" && bits >= 2048 && bits <= 8192) {
    return of("rsa", "sha256", `PKIX_RSA_PKCS1V15_${bits}_SHA256`);
  }
  if (key.asymmetricKeyType === "ed25519") return of("ed25519", undefined, "PKIX_ED25519");
  throw verifyErrors.make(
    "ALGORITHM_REFUSED",
    `expected a P-256, P-384, P-521, RSA (2048 to 8192 bits) or Ed25519 key, found ${key.asymmetricKeyType}`,
  );
}

/** Signature algorithms of certificates and CMS, by object identifier (RFC 5758, RFC 4055, RFC 8410). */
const signatureAlgorithms: Readonly<Record<string, readonly [VerificationKey["family"], HashName | undefined]>> = {
  "1.2.840.10045.4.3.2": ["ec", "sha256"],
  "1.2.840.10045.4.3.3": ["ec", "sha384"],
  "1.2.840.10045.4.3.4": ["ec", "sha512"],
  "1.2.840.113549.1.1.11": ["rsa", "sha256"],
  "1.2.840.113549.1.1.12": ["rsa", "sha384"],
  "1.2.840.113549.1.1.13": ["rsa", "sha512"],
  "1.3.101.112": ["ed25519", undefined],
};

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";

/**
 * Verifies a signature whose algorithm is named beside it. `cmsHash` is CMS's separate digest algorithm, used where the
 * signature algorithm names none.
 * @throws ALGORITHM_REFUSED when the algorithm is weak or unknown, or not one of this key
 */
export function verifyNamed(
  key: VerificationKey,
  algorithm: string,
  content: Uint8Array,
  signature: Uint8Array,
  cmsHash?: string,
): boolean {
  const named: readonly [VerificationKey["family"], HashName | undefined] | undefined =
    algorithm === RSA_ENCRYPTION && isHashName(cmsHash) ? ["rsa", cmsHash] : signatureAlgorithms[algorithm];
  if (named === undefined || named[0] !== key.family) throw algorithmRefused(algorithm, key);
  return verify(named[1] ?? null, content, key.key, signature);
}

function algorithmRefused(algorithm: string, key: VerificationKey): FactoryError {
  return verifyErrors.make(
    "ALGORITHM_REFUSED",
    `expected a SHA-2 signature algorithm of a ${key.family} key, found ${algorithm}`,
  );
}

/** True for the names of the hashes that count here. */
export function isHashName(name: string | undefined): name is HashName {
  return name === "sha256" || name === "sha384" || name === "sha512";
}

/** From this many bytes on, content is hashed in place instead of being joined first. */
const LARGE = 64 * 1024;

/** Verifies a signature over the parts of a content, in the way that goes with the key. */
export function verifyContent(key: VerificationKey, parts: readonly Uint8Array[], signature: Uint8Array): boolean {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (key.hash === undefined || length < LARGE || parts.length === 1) {
    const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    return verify(key.hash ?? null, whole, key.key, signature);
  }
  const verifier = createVerify(key.hash);
  for (const part of parts) verifier.update(part);
  return verifier.verify(key.key, signature);
}
