import { encodeHex, isFactoryError } from "@touchmark/core";
import { openpgpErrors } from "./errors.ts";
import type { Certificate, Keyring, Subkey, UserId } from "./keyring.ts";
import type { PublicKey } from "./public-key.ts";
import { checkHash, holds } from "./signature-check.ts";
import { parseSignature, type Signature, secondsText, signatureType } from "./signature-packet.ts";
import { numberOf, subpacketType } from "./subpacket.ts";

/** A self-signature that holds. A weak one is over a broken hash: it can take away, and never give. */
interface Held {
  readonly signature: Signature;
  readonly weak: boolean;
}

/** Key flag: may sign documents (RFC 9580 §5.2.3.29). */
const MAY_SIGN = 0x02;

/**
 * Refuses a key that may not sign documents at a time (Unix seconds): revoked, expired, not bound, not meant for it.
 * Any revocation counts, whenever and for whatever reason it was made. Who pinned the primary key by its fingerprint
 * vouches for it; then a self-signature over a weak hash is enough, because it only takes away. Subkeys are not pinned.
 * @throws OPENPGP_KEY_REVOKED | OPENPGP_KEY_EXPIRED | OPENPGP_KEY_UNBOUND | OPENPGP_KEY_NOT_FOR_SIGNING |
 *   OPENPGP_HASH_REFUSED
 */
export function checkMaySign(
  certificate: Certificate,
  subkey: Subkey | undefined,
  at: number,
  keyring: Keyring,
  pinned: readonly string[],
): void {
  const primary = readPrimary(certificate, at);
  const about = [certificate.key.hashed];
  if (isRevoked(certificate, certificate.signatures, signatureType.keyRevocation, about, primary.revokers, keyring)) {
    throw openpgpErrors.make("OPENPGP_KEY_REVOKED", `the key ${certificate.key.fingerprint} was revoked`);
  }
  const isPinned = subkey === undefined && primary.weak && pinned.includes(certificate.key.fingerprint);
  if (!primary.valid && !isPinned) throw unbound(certificate.key, primary.weak);
  checkAge(certificate.key, primary.lifetime, at);
  if (subkey === undefined) {
    if (primary.flags.some((flags) => (flags & MAY_SIGN) === 0)) throw notForSigning(certificate.key);
  } else {
    checkSubkey(certificate, subkey, at, primary.revokers, keyring);
  }
}

/** Text of the user id that the newest self-signature is over, for display. */
export function shownUserId(certificate: Certificate, at: number): string | undefined {
  const bound = certificate.userIds.filter(
    (id) => !id.attribute && newestOf(userIdHeld(certificate, id), at)?.weak === false,
  );
  // Whoever made the key chose the text; it must not steer a terminal.
  return bound[0]?.text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

interface PrimaryState {
  readonly valid: boolean;
  readonly weak: boolean;
  /** Seconds; undefined when the key never expires. */
  readonly lifetime: number | undefined;
  /** First octet of the key flags, of each self-signature that has them. */
  readonly flags: readonly number[];
  /** Fingerprints of keys that may revoke this one. */
  readonly revokers: readonly string[];
}

function readPrimary(certificate: Certificate, at: number): PrimaryState {
  const { key } = certificate;
  const direct = newestOf(heldOf(key, certificate.signatures, [signatureType.directKey], [key.hashed]), at);
  const newest: Held[] = [];
  for (const id of certificate.userIds) {
    const held = newestOf(userIdHeld(certificate, id), at);
    if (held !== undefined && !isWithdrawn(certificate, id, held)) newest.push(held);
  }
  newest.sort((a, b) => b.signature.created - a.signature.created);
  const all = direct === undefined ? newest : [direct, ...newest];
  const lifetimes = all.map(({ signature }) => numberOf(signature.hashed, subpacketType.keyExpiration));
  const speaking = direct === undefined ? newest.slice(0, 1) : [direct, ...newest.slice(0, 1)];
  return {
    valid: all.some(({ weak }) => !weak),
    weak: all.length > 0,
    // As GnuPG has it: of the direct signature, else of the newest one over a user id that states any.
    lifetime: lifetimes.find((each) => each !== undefined && each > 0),
    flags: speaking.flatMap(({ signature }) => flagsOf(signature) ?? []),
    revokers: revokersOf(certificate),
  };
}

function userIdHeld(certificate: Certificate, id: UserId): Held[] {
  return heldOf(certificate.key, id.signatures, signatureType.certifications, userIdParts(certificate, id));
}

function userIdParts(certificate: Certificate, id: UserId): Uint8Array[] {
  const prefix = Buffer.alloc(5);
  prefix[0] = id.attribute ? 0xd1 : 0xb4;
  prefix.writeUInt32BE(id.bytes.length, 1);
  return [certificate.key.hashed, prefix, id.bytes];
}

/** A user id is withdrawn by a revocation that is not older than its newest self-signature. */
function isWithdrawn(certificate: Certificate, id: UserId, held: Held): boolean {
  const revocations = heldOf(
    certificate.key,
    id.signatures,
    [signatureType.certificationRevocation],
    userIdParts(certificate, id),
  );
  return revocations.some(({ signature }) => signature.created >= held.signature.created);
}

const heldBySignature = new WeakMap<Signature, "good" | "weak" | "none">();

/** Those of the signatures that are of the given types and hold. The verdict does not depend on time and is kept. */
function heldOf(
  key: PublicKey,
  signatures: readonly Signature[],
  types: readonly number[],
  parts: readonly Uint8Array[],
): Held[] {
  const held: Held[] = [];
  for (const signature of signatures) {
    if (!types.includes(signature.type)) continue;
    const verdict = heldBySignature.get(signature) ?? judge(signature, key, parts);
    heldBySignature.set(signature, verdict);
    if (verdict !== "none") held.push({ signature, weak: verdict === "weak" });
  }
  return held;
}

function judge(signature: Signature, key: PublicKey, parts: readonly Uint8Array[]): "good" | "weak" | "none" {
  try {
    if (!holds(signature, key, parts, true)) return "none";
  } catch {
    return "none";
  }
  if (signature.unknownCritical !== undefined) return "weak";
  try {
    checkHash(signature, key.verifying());
    return "good";
  } catch {
    return "weak";
  }
}

/** The newest that was made by then and is still in force. */
function newestOf(held: readonly Held[], at: number): Held | undefined {
  const present = held.filter(
    ({ signature }) => signature.created <= at && (signature.expires === undefined || signature.expires > at),
  );
  return present.reduce<Held | undefined>(
    (best, each) => (best === undefined || each.signature.created > best.signature.created ? each : best),
    undefined,
  );
}

function revokersOf(certificate: Certificate): string[] {
  const all = [...certificate.signatures, ...certificate.userIds.flatMap((id) => id.signatures)];
  return all.flatMap(({ hashed }) =>
    hashed
      .filter(({ type, body }) => type === subpacketType.revocationKey && body.length === 22)
      .map(({ body }) => encodeHex(body.subarray(2))),
  );
}

/** True when the key itself or a key that it names revoked it. What cannot be checked counts as a revocation. */
function isRevoked(
  certificate: Certificate,
  signatures: readonly Signature[],
  type: number,
  parts: readonly Uint8Array[],
  revokers: readonly string[],
  keyring: Keyring,
): boolean {
  return signatures.some((signature) => {
    if (signature.type !== type) return false;
    const issuer = signature.issuerKeyId;
    if (issuer === undefined || issuer === certificate.key.keyId) return revokes(signature, certificate.key, parts);
    const named = revokers.filter((fingerprint) => fingerprint.endsWith(issuer));
    return named.some((fingerprint) => {
      const revoker = keyring.certificates.find((each) => each.key.fingerprint === fingerprint);
      return revoker === undefined || revokes(signature, revoker.key, parts);
    });
  });
}

function revokes(signature: Signature, key: PublicKey, parts: readonly Uint8Array[]): boolean {
  try {
    return holds(signature, key, parts, true);
  } catch (error) {
    const code = isFactoryError(error) ? error.code : "";
    return code !== "OPENPGP_SIGNATURE_INVALID" && code !== "OPENPGP_PACKET_MALFORMED";
  }
}

function checkSubkey(
  certificate: Certificate,
  subkey: Subkey,
  at: number,
  revokers: readonly string[],
  keyring: Keyring,
): void {
  const parts = [certificate.key.hashed, subkey.key.hashed];
  if (isRevoked(certificate, subkey.signatures, signatureType.subkeyRevocation, parts, revokers, keyring)) {
    throw openpgpErrors.make("OPENPGP_KEY_REVOKED", `the subkey ${subkey.key.fingerprint} was revoked`);
  }
  const held = heldOf(certificate.key, subkey.signatures, [signatureType.subkeyBinding], parts);
  const binding = newestOf(held, at);
  if (binding === undefined || binding.weak) throw unbound(subkey.key, binding !== undefined);
  checkAge(subkey.key, numberOf(binding.signature.hashed, subpacketType.keyExpiration), at);
  if (((flagsOf(binding.signature) ?? 0) & MAY_SIGN) === 0) throw notForSigning(subkey.key);
  // Without the binding back, anybody could adopt another's signing subkey (RFC 9580 §5.2.1.9).
  if (!binding.signature.embedded.some((body) => bindsBack(body, subkey.key, parts, at)))
    throw unbound(subkey.key, false);
}

function bindsBack(body: Uint8Array, subkey: PublicKey, parts: readonly Uint8Array[], at: number): boolean {
  try {
    const signature = parseSignature(body);
    return newestOf(heldOf(subkey, [signature], [signatureType.primaryKeyBinding], parts), at)?.weak === false;
  } catch {
    return false;
  }
}

function flagsOf(signature: Signature): number | undefined {
  const body = signature.hashed.find(({ type }) => type === subpacketType.keyFlags)?.body;
  return body === undefined ? undefined : (body[0] ?? 0);
}

function checkAge(key: PublicKey, lifetime: number | undefined, at: number): void {
  if (lifetime === undefined || lifetime === 0 || key.created + lifetime > at) return;
  const until = secondsText(key.created + lifetime);
  throw openpgpErrors.make("OPENPGP_KEY_EXPIRED", `the key ${key.fingerprint} expired at ${until}`);
}

function notForSigning(key: PublicKey): Error {
  return openpgpErrors.make(
    "OPENPGP_KEY_NOT_FOR_SIGNING",
    `expected a key whose flags allow signing, found ${key.fingerprint} without`,
  );
}

function unbound(key: PublicKey, weak: boolean): Error {
  return weak
    ? openpgpErrors.make(
        "OPENPGP_HASH_REFUSED",
        `expected a self-signature of ${key.fingerprint} over SHA-256 or stronger that is understood, found none`,
      )
    : openpgpErrors.make("OPENPGP_KEY_UNBOUND", `expected a valid self-signature or binding of ${key.fingerprint}`);
}
