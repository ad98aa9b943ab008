import { type KeyObject, randomBytes, sign } from "node:crypto";
import { sha256Bytes } from "@touchmark/core";
import {
  bitString,
  boolean,
  certificateTime,
  context,
  contextPrimitive,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
} from "./der-writer.ts";
import { oids } from "./oids.ts";

export { oids } from "./oids.ts";

/** Writes X.509 version 3 certificates (RFC 5280), P-256 with SHA-256, from fixed templates. */

const version3 = context(0, integer(2));
/** AlgorithmIdentifier ecdsa-with-SHA256; no parameters (RFC 5758 section 3.2). */
export const ecdsaWithSha256 = sequence(objectIdentifier(oids.ecdsaWithSha256));

/** One certificate before signing. */
export interface CertificateContent {
  readonly serial: Uint8Array;
  /** DER Name. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** DER Extension each. */
  readonly extensions: readonly Uint8Array[];
}

/** Signs a certificate with the issuer's key. */
export function writeCertificate(content: CertificateContent, issuerKey: KeyObject): Uint8Array {
  const tbs = sequence(
    version3,
    integer(content.serial),
    ecdsaWithSha256,
    content.issuer,
    sequence(certificateTime(content.notBefore), certificateTime(content.notAfter)),
    content.subject,
    content.publicKey,
    context(3, sequence(...content.extensions)),
  );
  return sequence(tbs, ecdsaWithSha256, bitString(sign("sha256", tbs, issuerKey)));
}

/** DER Name of an organisation and a common name; empty without them. */
export function distinguishedName(organization?: string, commonName?: string): Uint8Array {
  const attribute = (oid: string, text: string) => setOf(sequence(objectIdentifier(oid), utf8String(text)));
  return sequence(
    ...(organization === undefined ? [] : [attribute(oids.organization, organization)]),
    ...(commonName === undefined ? [] : [attribute(oids.commonName, commonName)]),
  );
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical
    ? sequence(objectIdentifier(oid), boolean(true), octetString(value))
    : sequence(objectIdentifier(oid), octetString(value));
}

/** Key usage bits, RFC 5280 section 4.2.1.3. */
export const keyUsage = {
  digitalSignature: extension(oids.keyUsage, true, namedBits(0)),
  certificateSigning: extension(oids.keyUsage, true, namedBits(5, 6)),
} as const;

/** Basic constraints of an authority with at most `pathLength` further authorities below it; critical. */
export const authorityConstraints = (pathLength: number): Uint8Array =>
  extension(oids.basicConstraints, true, sequence(boolean(true), integer(pathLength)));

/** Name constraints: URI names only with this host (RFC 5280 section 4.2.1.10); critical. */
export const permittedUriHost = (host: string): Uint8Array =>
  extension(
    oids.nameConstraints,
    true,
    sequence(context(0, sequence(contextPrimitive(6, Buffer.from(host, "latin1"))))),
  );

/** Extended key usage. */
export const extendedKeyUsage = (critical: boolean, ...usages: readonly string[]): Uint8Array =>
  extension(oids.extendedKeyUsage, critical, sequence(...usages.map(objectIdentifier)));

/** Exactly one URI as the subject's alternative name, and the hosts of a server; critical, because the subject is empty. */
export const uriSubject = (uri: string, hosts: readonly string[] = []): Uint8Array =>
  extension(
    oids.subjectAltName,
    true,
    sequence(contextPrimitive(6, Buffer.from(uri, "latin1")), ...hosts.map(hostName)),
  );

/** The issuer URL where Sigstore's clients look for it. */
export const issuerUrl = (url: string): Uint8Array => extension(oids.issuerUrl, false, utf8String(url));

/** Key identifier: the leftmost 160 bits of SHA-256 over the public key's bits (RFC 7093 section 2, method 1). */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  // A P-256 SubjectPublicKeyInfo ends in the 65 octets of the uncompressed point.
  return sha256Bytes(publicKey.subarray(publicKey.length - 65)).subarray(0, 20);
}

/** Subject key identifier. */
export const subjectKeyIdentifier = (id: Uint8Array): Uint8Array =>
  extension(oids.subjectKeyIdentifier, false, octetString(id));

/** Authority key identifier. */
export const authorityKeyIdentifier = (id: Uint8Array): Uint8Array =>
  extension(oids.authorityKeyIdentifier, false, sequence(contextPrimitive(0, id)));

/** Exactly one host as the subject's alternative name: a DNS name, or an address; critical, because the subject is empty. */
export const hostSubject = (host: string): Uint8Array => extension(oids.subjectAltName, true, sequence(hostName(host)));

/** GeneralName of a host. */
const hostName = (host: string): Uint8Array =>
  isAddress(host) ? contextPrimitive(7, addressOctets(host)) : contextPrimitive(2, Buffer.from(host, "latin1"));

/** A colon stands in no DNS name, and a name whose last label is a number is none. */
const isAddress = (host: string): boolean => host.includes(":") || /^[0-9]+(?:\.[0-9]+){3}$/.test(host);

/** 4 or 16 octets of an IP address in its usual spelling. */
function addressOctets(host: string): Buffer {
  if (!host.includes(":")) return Buffer.from(host.split(".").map(Number));
  // The URL parser spells an address out in one way: no embedded IPv4, at most one run of zeros left out.
  const canonical = new URL(`http://[${host}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const groups = (text: string | undefined): string[] => (text === undefined || text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** 159 random bits with the highest set: positive, never shortened, within RFC 5280's twenty octets. */
export function randomSerial(): Buffer {
  const serial = randomBytes(20);
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}
