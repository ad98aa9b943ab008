import { isFactoryError } from "@touchmark/core";
import { decodeArmor, isArmored } from "./armor.ts";
import { openpgpErrors } from "./errors.ts";
import { checkMaySign, shownUserId } from "./key-state.ts";
import type { Certificate, Keyring, Subkey } from "./keyring.ts";
import { packetTag, readPackets } from "./packet.ts";
import { beginCheck, type SignatureCheck } from "./signature-check.ts";
import { parseSignature, type Signature, secondsText, signatureType } from "./signature-packet.ts";

/** Who signed, as far as it was verified. */
export interface OpenPgpSigner {
  /** Fingerprint of the key or subkey that signed, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Fingerprint of the primary key, by which keys are named. */
  readonly primaryFingerprint: string;
  /** What the key says of its holder; nobody vouched for it. */
  readonly userId: string | undefined;
  /** When, by the signer's clock. */
  readonly created: Date;
  /** For example `RSA SHA-512`. */
  readonly algorithm: string;
}

/** Signatures that hold; at least one. */
export interface VerifiedOpenPgp {
  readonly signers: readonly OpenPgpSigner[];
  /** Signatures that do not count, with the code and reason of each: by unknown, expired or revoked keys, or too weak. */
  readonly notCounted: readonly { readonly keyId: string; readonly code: string; readonly message: string }[];
}

const MAX_SIGNATURE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 16;
/** How far a signer's clock may be ahead, in seconds. */
const SKEW = 60;

/**
 * Reads a detached signature: an armoured block, or packets as they are; one signature, or several by several keys.
 * @throws OPENPGP_ARMOR_* | OPENPGP_PACKET_MALFORMED | OPENPGP_VERSION_UNSUPPORTED | OPENPGP_TOO_LARGE
 */
export function readSignature(bytes: Uint8Array): readonly Signature[] {
  if (bytes.length > MAX_SIGNATURE_BYTES) {
    throw openpgpErrors.make("OPENPGP_TOO_LARGE", `expected a signature of at most ${MAX_SIGNATURE_BYTES} bytes`);
  }
  const isText = isArmored(bytes) || (bytes[0] ?? 0x80) < 0x80;
  const packets = readPackets(isText ? decodeArmor(bytes, "SIGNATURE") : bytes, MAX_SIGNATURES);
  const other = packets.find(({ tag }) => tag !== packetTag.signature);
  if (other !== undefined || packets.length === 0) {
    throw openpgpErrors.make(
      "OPENPGP_PACKET_MALFORMED",
      `expected signatures alone, found ${other === undefined ? "nothing" : `a packet ${other.tag}`}`,
    );
  }
  return packets.map(({ body }) => parseSignature(body));
}

/** A verification that is fed with the signed content as it streams by. */
export interface OpenPgpVerification {
  update(chunk: Uint8Array): void;
  /** Call once, after the last chunk. @throws as {@link verifyDetached} */
  finish(): VerifiedOpenPgp;
}

/**
 * Verifies a detached signature over a file. Signatures by keys that the keyring lacks are left out of account, as are
 * those that are expired, revoked or too weak; at least one must hold. One that does not fit a key that it names
 * refuses the file, whatever the others say. `pinned` names primary keys by fingerprint (lower case) that the caller
 * vouches for, so that a self-signature over SHA-1 does not stand against them.
 * @throws OPENPGP_* with the reason of the first signature by a known key, else OPENPGP_KEY_UNKNOWN
 */
export function verifyDetached(
  keyring: Keyring,
  signatures: readonly Signature[],
  content: Uint8Array,
  at: Date,
  pinned: readonly string[] = [],
): VerifiedOpenPgp {
  const verification = beginDetached(keyring, signatures, at, pinned);
  verification.update(content);
  return verification.finish();
}

/** As {@link verifyDetached}, for content that streams by. @throws OPENPGP_SIGNATURE_KIND */
export function beginDetached(
  keyring: Keyring,
  signatures: readonly Signature[],
  at: Date,
  pinned: readonly string[] = [],
): OpenPgpVerification {
  return beginVerification(keyring, signatures, at, signatureType.binary, pinned);
}

/** A key that a signature may be by. */
interface Candidate {
  readonly certificate: Certificate;
  readonly subkey: Subkey | undefined;
}

interface Attempt {
  readonly signature: Signature;
  readonly candidates: readonly (Candidate & { readonly check: SignatureCheck | Error })[];
}

/** Begins a verification of signatures of one type. */
export function beginVerification(
  keyring: Keyring,
  signatures: readonly Signature[],
  at: Date,
  type: number,
  pinned: readonly string[] = [],
): OpenPgpVerification {
  const wrong = signatures.find((signature) => signature.type !== type);
  if (wrong !== undefined) {
    throw openpgpErrors.make(
      "OPENPGP_SIGNATURE_KIND",
      `expected a signature of type ${type} over ${type === signatureType.text ? "a text" : "a file"}, found type ${wrong.type}`,
    );
  }
  const attempts: Attempt[] = signatures.map((signature) => ({
    signature,
    candidates: candidatesOf(keyring, signature).map((candidate) => ({
      ...candidate,
      check: begin(signature, candidate),
    })),
  }));
  const checks = attempts.flatMap(({ candidates }) => candidates.map(({ check }) => check));
  return {
    update(chunk) {
      for (const check of checks) if (!(check instanceof Error)) check.update(chunk);
    },
    finish: () => conclude({ keyring, pinned, at: Math.floor(at.getTime() / 1000) }, attempts),
  };
}

function begin(signature: Signature, { certificate, subkey }: Candidate): SignatureCheck | Error {
  try {
    if (signature.unknownCritical !== undefined) {
      throw openpgpErrors.make(
        "OPENPGP_CRITICAL_UNKNOWN",
        `found a critical subpacket of type ${signature.unknownCritical.type}, which is not understood`,
      );
    }
    return beginCheck(signature, (subkey ?? certificate).key);
  } catch (error) {
    if (isFactoryError(error)) return error;
    throw error;
  }
}

function candidatesOf(keyring: Keyring, signature: Signature): Candidate[] {
  const { issuerFingerprint, issuerKeyId } = signature;
  const fits = (key: { readonly fingerprint: string; readonly keyId: string }): boolean =>
    issuerFingerprint === undefined ? key.keyId === issuerKeyId : key.fingerprint === issuerFingerprint;
  return keyring.certificates.flatMap((certificate) => [
    ...(fits(certificate.key) ? [{ certificate, subkey: undefined }] : []),
    ...certificate.subkeys.filter(({ key }) => fits(key)).map((subkey) => ({ certificate, subkey })),
  ]);
}

/** What keys are judged by. */
interface Judgement {
  readonly keyring: Keyring;
  readonly pinned: readonly string[];
  /** Unix seconds. */
  readonly at: number;
}

function conclude(judgement: Judgement, attempts: readonly Attempt[]): VerifiedOpenPgp {
  const signers: OpenPgpSigner[] = [];
  const notCounted: { keyId: string; code: string; message: string }[] = [];
  let first: Error | undefined;
  for (const { signature, candidates } of attempts) {
    const keyId = signature.issuerKeyId ?? "none";
    const problems: unknown[] = [];
    let signer: OpenPgpSigner | undefined;
    for (const candidate of candidates) {
      try {
        signer ??= judge(signature, candidate, judgement);
      } catch (error) {
        problems.push(error);
      }
    }
    if (signer !== undefined) {
      signers.push(signer);
      continue;
    }
    const problem = asError(problems, keyId);
    if (problem.code === "OPENPGP_SIGNATURE_INVALID") throw problem;
    if (candidates.length > 0) first ??= problem;
    notCounted.push({ keyId, code: problem.code, message: problem.message });
  }
  if (signers.length > 0) return { signers, notCounted };
  throw first ?? unknownKey(notCounted.map(({ keyId }) => keyId).join(", "));
}

/** What spoke against a signature: that it is forged comes last when keys share an id and one of them made it. */
function asError(problems: readonly unknown[], keyId: string): Error & { readonly code: string } {
  const known = problems.map((problem) => {
    if (isFactoryError(problem)) return problem;
    throw problem;
  });
  return known.find(({ code }) => code !== "OPENPGP_SIGNATURE_INVALID") ?? known[0] ?? unknownKey(keyId);
}

function unknownKey(keyId: string): Error & { readonly code: string } {
  return openpgpErrors.make(
    "OPENPGP_KEY_UNKNOWN",
    `expected a signature by a key of the keyring, found one by ${keyId}`,
  );
}

function judge(
  signature: Signature,
  candidate: Candidate & { readonly check: SignatureCheck | Error },
  { at, keyring, pinned }: Judgement,
): OpenPgpSigner {
  const { certificate, subkey, check } = candidate;
  const { key } = subkey ?? certificate;
  if (check instanceof Error) throw check;
  if (!check.finish()) {
    throw openpgpErrors.make(
      "OPENPGP_SIGNATURE_INVALID",
      `the signature by ${key.fingerprint} does not verify over the content`,
    );
  }
  if (signature.created > at + SKEW || signature.created < key.created) {
    const made = secondsText(signature.created);
    throw openpgpErrors.make(
      "OPENPGP_SIGNATURE_TIME",
      `expected a signature between ${secondsText(key.created)} and ${secondsText(at)}, found one of ${made}`,
    );
  }
  if (signature.expires !== undefined && signature.expires <= at) {
    throw openpgpErrors.make("OPENPGP_SIGNATURE_EXPIRED", `the signature expired at ${secondsText(signature.expires)}`);
  }
  checkMaySign(certificate, subkey, at, keyring, pinned);
  return {
    fingerprint: key.fingerprint,
    primaryFingerprint: certificate.key.fingerprint,
    userId: shownUserId(certificate, at),
    created: new Date(signature.created * 1000),
    algorithm: `${signature.algorithmName} ${signature.hashName}`,
  };
}
