import { encodeHex } from "@touchmark/core";
import { openpgpErrors } from "./errors.ts";
import { Octets } from "./octets.ts";
import { numberOf, readSubpackets, type Subpacket, subpacketType, unknownCritical } from "./subpacket.ts";

/** Types of signatures (RFC 9580 §5.2.1). */
export const signatureType = {
  binary: 0x00,
  text: 0x01,
  certifications: [0x10, 0x11, 0x12, 0x13] as readonly number[],
  subkeyBinding: 0x18,
  primaryKeyBinding: 0x19,
  directKey: 0x1f,
  keyRevocation: 0x20,
  subkeyRevocation: 0x28,
  certificationRevocation: 0x30,
} as const;

/** Algorithms of public keys by number (RFC 9580 §9.1). */
export const keyAlgorithms: Readonly<Record<number, string>> = {
  1: "RSA",
  2: "RSA (encrypt only)",
  3: "RSA (sign only)",
  16: "ElGamal",
  17: "DSA",
  18: "ECDH",
  19: "ECDSA",
  20: "ElGamal (sign)",
  22: "EdDSA",
  25: "X25519",
  26: "X448",
  27: "Ed25519",
  28: "Ed448",
};

const hashes: Readonly<Record<number, string>> = {
  1: "MD5",
  2: "SHA-1",
  3: "RIPEMD-160",
  8: "SHA-256",
  9: "SHA-384",
  10: "SHA-512",
  11: "SHA-224",
  12: "SHA3-256",
  14: "SHA3-512",
};

/** A version 4 signature; nothing in it is verified. Byte fields are views. */
export interface Signature {
  readonly type: number;
  readonly algorithm: number;
  readonly algorithmName: string;
  readonly hash: number;
  readonly hashName: string;
  /** Unix seconds, by the signer's clock. */
  readonly created: number;
  /** Unix seconds; undefined when it never expires. */
  readonly expires: number | undefined;
  readonly hashed: readonly Subpacket[];
  /** Lower-case hexadecimal of 8 octets; a hint. */
  readonly issuerKeyId: string | undefined;
  /** Lower-case hexadecimal of 20 octets; a hint. */
  readonly issuerFingerprint: string | undefined;
  /** The key id stands there itself, and is not only the end of a fingerprint. */
  readonly statesKeyId: boolean;
  /** Signatures within it: the binding of a subkey back to its primary key. */
  readonly embedded: readonly Uint8Array[];
  readonly left16: Uint8Array;
  /** What is hashed after the content: the signature's hashed part and its length. */
  readonly trailer: Uint8Array;
  /** Algorithm-specific values. */
  readonly values: Uint8Array;
  /** A subpacket that is critical and not understood, in the signed part or beside it: GnuPG heeds both. */
  readonly unknownCritical: Subpacket | undefined;
}

/** Reads a signature packet's body. @throws OPENPGP_PACKET_MALFORMED | OPENPGP_VERSION_UNSUPPORTED | OPENPGP_TOO_LARGE */
export function parseSignature(body: Uint8Array): Signature {
  const reader = new Octets(body);
  const version = reader.octet();
  if (version !== 4) {
    throw openpgpErrors.make("OPENPGP_VERSION_UNSUPPORTED", `expected a signature of version 4, found ${version}`);
  }
  const [type, algorithm, hash] = [reader.octet(), reader.octet(), reader.octet()];
  const hashedBytes = reader.take(reader.number(2));
  const hashedLength = reader.position;
  const hashed = readSubpackets(hashedBytes);
  const all = [...hashed, ...readSubpackets(reader.take(reader.number(2)))];
  const left16 = reader.take(2);
  const created = numberOf(hashed, subpacketType.creationTime);
  if (created === undefined) {
    throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", "expected the time of the signature in its signed part");
  }
  const lifetime = numberOf(hashed, subpacketType.expiration) ?? 0;
  const trailer = Buffer.concat([body.subarray(0, hashedLength), Buffer.from([4, 0xff, 0, 0, 0, 0])]);
  trailer.writeUInt32BE(hashedLength, hashedLength + 2);
  return {
    type,
    algorithm,
    algorithmName: keyAlgorithms[algorithm] ?? `algorithm ${algorithm}`,
    hash,
    hashName: hashes[hash] ?? `hash ${hash}`,
    created,
    expires: lifetime === 0 ? undefined : created + lifetime,
    hashed,
    ...issuerOf(all),
    embedded: all.filter((each) => each.type === subpacketType.embeddedSignature).map((each) => each.body),
    left16,
    trailer,
    values: reader.rest(),
    unknownCritical: unknownCritical(all),
  };
}

function issuerOf(
  subpackets: readonly Subpacket[],
): Pick<Signature, "issuerKeyId" | "issuerFingerprint" | "statesKeyId"> {
  const keyIds = subpackets.filter((each) => each.type === subpacketType.issuer).map((each) => encodeHex(each.body));
  const prints = subpackets.filter((each) => each.type === subpacketType.issuerFingerprint);
  for (const { body } of prints) {
    if (body[0] !== 4 || body.length !== 21) throw issuerError("an issuer that is no version 4 fingerprint");
  }
  const fingerprints = prints.map((each) => encodeHex(each.body.subarray(1)));
  const claims = new Set([...keyIds, ...fingerprints.map((each) => each.slice(-16))]);
  if (keyIds.some((id) => id.length !== 16) || claims.size > 1 || new Set(fingerprints).size > 1) {
    throw issuerError("several issuers");
  }
  const [issuerKeyId] = claims;
  return { issuerKeyId, issuerFingerprint: fingerprints[0], statesKeyId: keyIds.length > 0 };
}

function issuerError(found: string): Error {
  return openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected one issuer of the signature, found ${found}`);
}

/** Seconds of Unix time as RFC 3339, for messages. */
export function secondsText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}
