import { decodeKeyBlocks, isArmored } from "./armor.ts";
import { openpgpErrors } from "./errors.ts";
import { type Packet, packetTag, readPackets } from "./packet.ts";
import { type PublicKey, parsePublicKey } from "./public-key.ts";
import { parseSignature, type Signature, signatureType } from "./signature-packet.ts";

/** A user id with the signatures that its own key made over it. */
export interface UserId {
  /** The packet's bytes. */
  readonly bytes: Uint8Array;
  /** As UTF-8, with replacement characters where it is none. */
  readonly text: string;
  /** True for images and other attributes, which are hashed in another way. */
  readonly attribute: boolean;
  readonly signatures: Signature[];
}

/** A subkey with what claims to bind or revoke it. */
export interface Subkey {
  readonly key: PublicKey;
  readonly signatures: Signature[];
}

/** A primary key with everything that claims to belong to it; nothing is verified yet. */
export interface Certificate {
  readonly key: PublicKey;
  readonly signatures: Signature[];
  readonly userIds: UserId[];
  readonly subkeys: Subkey[];
}

/** Keys that somebody trusts: a file of one or more of them. */
export interface Keyring {
  readonly certificates: readonly Certificate[];
  /** Keys of the file that are not read, with the reason: other versions, damaged ones. */
  readonly skipped: readonly string[];
}

/** Largest keyring, in bytes. */
export const MAX_KEYRING_BYTES = 32 * 1024 * 1024;
const maxPackets = 100_000;
/** Signatures of one place that are kept: its own are few; those of others are not read. */
const maxOwnSignatures = 500;

/** Packets that may stand in a key file beside keys (RFC 9580 §10.1): GnuPG's trust packet, and what is not critical. */
const ignorable = (tag: number): boolean => tag === packetTag.trust || tag >= 40 || tag === 10 || tag === 21;

/**
 * Reads a keyring: packets as they are, or armoured blocks. A file of which one key cannot be read keeps the others,
 * and says so; a file without any is refused.
 * @throws OPENPGP_ARMOR_* | OPENPGP_PACKET_MALFORMED | OPENPGP_TOO_LARGE | OPENPGP_KEY_UNKNOWN when it holds no key
 */
export function readKeyring(...files: readonly Uint8Array[]): Keyring {
  const byFingerprint = new Map<string, Certificate>();
  const skipped: string[] = [];
  for (const bytes of files) {
    if (bytes.length > MAX_KEYRING_BYTES) {
      throw openpgpErrors.make("OPENPGP_TOO_LARGE", `expected a keyring of at most ${MAX_KEYRING_BYTES} bytes`);
    }
    for (const block of isArmored(bytes) || looksLikeText(bytes) ? decodeKeyBlocks(bytes) : [bytes]) {
      readBlock(block, byFingerprint, skipped);
    }
  }
  const certificates = [...byFingerprint.values()];
  if (certificates.length === 0) {
    const why = skipped.length === 0 ? "none" : skipped.slice(0, 3).join("; ");
    throw openpgpErrors.make("OPENPGP_KEY_UNKNOWN", `expected at least one key in the keyring, found ${why}`);
  }
  return { certificates, skipped };
}

/** Key files may begin with an explanation; every packet begins with an octet that no ASCII text has. */
function looksLikeText(bytes: Uint8Array): boolean {
  return bytes.length > 0 && (bytes[0] as number) < 0x80;
}

function readBlock(bytes: Uint8Array, into: Map<string, Certificate>, skipped: string[]): void {
  let group: Packet[] = [];
  const finish = (): void => {
    if (group.length > 0) takeCertificate(group, into, skipped);
    group = [];
  };
  for (const packet of readPackets(bytes, maxPackets)) {
    if (packet.tag === packetTag.publicKey) finish();
    else if (group.length === 0) {
      throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected a public key first, found a packet ${packet.tag}`);
    }
    group.push(packet);
  }
  finish();
}

/** One key's packets: all or nothing, so that no damaged revocation gets lost. */
function takeCertificate(packets: readonly Packet[], into: Map<string, Certificate>, skipped: string[]): void {
  let read: Certificate;
  try {
    read = readCertificate(packets);
  } catch (error) {
    skipped.push((error as Error).message);
    return;
  }
  const known = into.get(read.key.fingerprint);
  if (known === undefined) into.set(read.key.fingerprint, read);
  else {
    // The same key twice, perhaps once without its revocation: everything that either copy says is heard.
    known.signatures.push(...read.signatures);
    known.userIds.push(...read.userIds);
    known.subkeys.push(...read.subkeys);
  }
}

function readCertificate(packets: readonly Packet[]): Certificate {
  const key = parsePublicKey((packets[0] as Packet).body);
  const certificate: Certificate = { key, signatures: [], userIds: [], subkeys: [] };
  let place: Signature[] | undefined = certificate.signatures;
  for (const { tag, body } of packets.slice(1)) {
    if (tag === packetTag.signature) {
      if (place !== undefined) keep(place, body, key);
    } else if (tag === packetTag.userId || tag === packetTag.userAttribute) {
      const text = Buffer.from(body).toString("utf8");
      certificate.userIds.push({ bytes: body, text, attribute: tag === packetTag.userAttribute, signatures: [] });
      place = certificate.userIds.at(-1)?.signatures;
    } else if (tag === packetTag.publicSubkey) {
      place = takeSubkey(certificate, body);
    } else if (!ignorable(tag)) {
      throw openpgpErrors.make("OPENPGP_PACKET_MALFORMED", `expected parts of a public key, found a packet ${tag}`);
    }
  }
  return certificate;
}

/** A subkey of another version or kind is left out with its signatures; the key above it stays. */
function takeSubkey(certificate: Certificate, body: Uint8Array): Signature[] | undefined {
  try {
    const subkey: Subkey = { key: parsePublicKey(body), signatures: [] };
    certificate.subkeys.push(subkey);
    return subkey.signatures;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the signatures that claim to be by the key itself or that revoke. Those of others are skipped: whom they vouch
 * for is not asked here, and old ones are of versions that are not read.
 */
function keep(place: Signature[], body: Uint8Array, key: PublicKey): void {
  const signature = parseOwn(body);
  if (signature === undefined) return;
  // GnuPG takes none for the key's own that does not state its id, whatever fingerprint it names.
  const own = signature.statesKeyId && signature.issuerKeyId === key.keyId;
  if (!own && !isRevocation(signature.type)) return;
  if (place.length === maxOwnSignatures) {
    throw openpgpErrors.make(
      "OPENPGP_TOO_LARGE",
      `expected at most ${maxOwnSignatures} signatures in one place of a key`,
    );
  }
  place.push(signature);
}

const isRevocation = (type: number | undefined): boolean =>
  type === signatureType.keyRevocation || type === signatureType.subkeyRevocation;

/** What cannot be read vouches for nothing and is left out; but a revocation that cannot be read refuses the key. */
function parseOwn(body: Uint8Array): Signature | undefined {
  try {
    return parseSignature(body);
  } catch (error) {
    const type = body[0] === 2 || body[0] === 3 ? body[2] : body[1];
    if (isRevocation(type)) throw error;
    return undefined;
  }
}
