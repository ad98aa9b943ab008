import { encodeHex, equalBytes } from "@touchmark/core";
import { DerReader, derTag } from "./der-reader.ts";
import { formatsErrors } from "./errors.ts";

/** Object identifiers of extensions (RFC 5280 §4.2; Fulcio `docs/oid-info.md`; RFC 6962 §3.3). */
export const extensionOid = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  issuerV1: "1.3.6.1.4.1.57264.1.1",
  userNameSan: "1.3.6.1.4.1.57264.1.7",
  issuerV2: "1.3.6.1.4.1.57264.1.8",
  signedCertificateTimestamps: "1.3.6.1.4.1.11129.2.4.2",
} as const;

/** Object identifiers of extended key usages (RFC 5280 §4.2.1.12). */
export const usageOid = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  timeStamping: "1.3.6.1.5.5.7.3.8",
} as const;

/** Bits of the key usage extension (RFC 5280 §4.2.1.3). */
export const keyUsageBit = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

/** An algorithm with its parameters, as bytes. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly parameters: Uint8Array | undefined;
}

/** An alternative name (RFC 5280 §4.2.1.6). Kinds without a text form carry their contents in `der`. */
export interface GeneralName {
  readonly kind: "email" | "dns" | "uri" | "ip" | "directory" | "userName" | "other";
  /** Empty for kinds without a text form. */
  readonly text: string;
  readonly der: Uint8Array;
}

/** Name constraints of an authority (RFC 5280 §4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** An extension, undecoded. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** A parsed X.509 certificate; nothing in it is verified. Byte fields are views of `der`. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly toBeSigned: Uint8Array;
  /** INTEGER contents. */
  readonly serialNumber: Uint8Array;
  /** DER Name. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since 1970, inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly extensions: readonly CertificateExtension[];
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: ReadonlySet<number> | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  /** Issuer of the identity token or workload identity (Fulcio extension .1.8, else the older .1.1). */
  readonly identityIssuer: string | undefined;
}

/** Reads an AlgorithmIdentifier. @throws DER_MALFORMED */
export function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const sequence = reader.sequence();
  const oid = sequence.oid();
  const parameters = sequence.peek() === undefined ? undefined : sequence.raw();
  sequence.end();
  return { oid, parameters };
}

/** Parses a certificate strictly (RFC 5280 §4): version 3, no trailing bytes, no repeated extension. @throws CERTIFICATE_MALFORMED */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw formatsErrors.make("CERTIFICATE_MALFORMED", `expected an X.509 certificate: ${why}`, { cause });
  }
}

function fail(message: string): Error {
  return formatsErrors.make("CERTIFICATE_MALFORMED", message);
}

function readCertificate(der: Uint8Array): Certificate {
  const top = new DerReader(der);
  const outer = top.sequence();
  top.end();
  const toBeSigned = outer.raw(derTag.sequence);
  const signatureAlgorithm = readAlgorithm(outer);
  const signature = outer.bitString();
  outer.end();

  const tbs = new DerReader(toBeSigned).sequence();
  const version = tbs.open(derTag.constructed(0));
  if (version.smallInteger() !== 2) throw fail("only version 3 is accepted");
  version.end();
  const serialNumber = tbs.integer();
  if (serialNumber.length > 21 || (serialNumber[0] as number) >= 0x80) throw fail("the serial number is out of range");
  const inner = readAlgorithm(tbs);
  if (inner.oid !== signatureAlgorithm.oid || !sameBytes(inner.parameters, signatureAlgorithm.parameters)) {
    throw fail("the two signature algorithms differ");
  }
  const issuer = tbs.raw(derTag.sequence);
  const validity = tbs.sequence();
  const notBefore = validity.time();
  const notAfter = validity.time();
  validity.end();
  const subject = tbs.raw(derTag.sequence);
  const publicKey = tbs.raw(derTag.sequence);
  // Unique identifiers ([1], [2]) are obsolete (RFC 5280 §4.1.2.8) and refused as trailing bytes.
  const extensions = readExtensions(tbs);
  tbs.end();
  return {
    der,
    toBeSigned,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    signatureAlgorithm,
    signature,
    extensions,
    ...decodeExtensions(extensions),
  };
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function readExtensions(tbs: DerReader): CertificateExtension[] {
  const wrapper = tbs.openOptional(derTag.constructed(3));
  if (wrapper === undefined) return [];
  const list = wrapper.sequence();
  wrapper.end();
  const extensions: CertificateExtension[] = [];
  while (list.peek() !== undefined) {
    const extension = list.sequence();
    const oid = extension.oid();
    const critical = extension.booleanDefaultFalse();
    const value = extension.contents(derTag.octetString);
    extension.end();
    if (extensions.some((other) => other.oid === oid)) throw fail(`the extension ${oid} stands twice`);
    extensions.push({ oid, critical, value });
  }
  return extensions;
}

type Decoded = Pick<
  Certificate,
  | "isAuthority"
  | "pathLength"
  | "keyUsage"
  | "extendedKeyUsage"
  | "subjectAltNames"
  | "nameConstraints"
  | "subjectKeyIdentifier"
  | "authorityKeyIdentifier"
  | "identityIssuer"
>;

function decodeExtensions(extensions: readonly CertificateExtension[]): Decoded {
  const decode = <T>(oid: string, read: (reader: DerReader) => T): T | undefined => {
    const extension = extensions.find((each) => each.oid === oid);
    if (extension === undefined) return undefined;
    const reader = new DerReader(extension.value);
    const value = read(reader);
    reader.end();
    return value;
  };
  const basic = decode(extensionOid.basicConstraints, readBasicConstraints);
  const newIssuer = decode(extensionOid.issuerV2, (reader) => reader.text(derTag.utf8String));
  const oldIssuer = extensions.find((each) => each.oid === extensionOid.issuerV1);
  const oldText = oldIssuer === undefined ? undefined : Buffer.from(oldIssuer.value).toString("utf8");
  if (newIssuer !== undefined && oldText !== undefined && newIssuer !== oldText) {
    throw fail("the two identity issuer extensions differ");
  }
  return {
    isAuthority: basic?.authority ?? false,
    pathLength: basic?.pathLength,
    keyUsage: decode(extensionOid.keyUsage, (reader) => reader.namedBits()),
    extendedKeyUsage: decode(extensionOid.extendedKeyUsage, readUsages),
    subjectAltNames: decode(extensionOid.subjectAltName, (reader) => readNames(reader.sequence())) ?? [],
    nameConstraints: decode(extensionOid.nameConstraints, readNameConstraints),
    subjectKeyIdentifier: decode(extensionOid.subjectKeyIdentifier, (reader) => reader.contents(derTag.octetString)),
    authorityKeyIdentifier: decode(extensionOid.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    identityIssuer: newIssuer ?? oldText,
  };
}

function readBasicConstraints(reader: DerReader): { authority: boolean; pathLength: number | undefined } {
  const sequence = reader.sequence();
  const authority = sequence.booleanDefaultFalse();
  const pathLength = sequence.peek() === undefined ? undefined : sequence.smallInteger();
  sequence.end();
  if (pathLength !== undefined && !authority) throw fail("a path length is given for what is no authority");
  return { authority, pathLength };
}

function readUsages(reader: DerReader): string[] {
  const sequence = reader.sequence();
  const usages: string[] = [];
  while (sequence.peek() !== undefined) usages.push(sequence.oid());
  if (usages.length === 0) throw fail("the extended key usage is empty");
  return usages;
}

function readAuthorityKeyIdentifier(reader: DerReader): Uint8Array | undefined {
  const sequence = reader.sequence();
  const tag = derTag.context(0);
  return sequence.peek() === tag ? sequence.contents(tag) : undefined;
}

const nameKinds: Readonly<Record<number, GeneralName["kind"]>> = {
  [derTag.context(1)]: "email",
  [derTag.context(2)]: "dns",
  [derTag.context(6)]: "uri",
  [derTag.context(7)]: "ip",
  [derTag.constructed(4)]: "directory",
  [derTag.constructed(0)]: "other",
};

function readNames(sequence: DerReader): GeneralName[] {
  const names: GeneralName[] = [];
  while (sequence.peek() !== undefined) names.push(readName(sequence));
  if (names.length === 0) throw fail("a list of names is empty");
  return names;
}

function readName(reader: DerReader): GeneralName {
  const tag = reader.peek() as number;
  const kind = nameKinds[tag] ?? "other";
  if (kind === "email" || kind === "dns" || kind === "uri") {
    const text = reader.text(tag);
    return { kind, text, der: Buffer.from(text) };
  }
  if (tag === derTag.constructed(0)) return readOtherName(reader);
  return { kind, text: "", der: reader.contents(tag) };
}

/** OtherName; the one kind with a text here is Fulcio's user name, a UTF8String. */
function readOtherName(reader: DerReader): GeneralName {
  const der = reader.contents(derTag.constructed(0));
  const inner = new DerReader(der);
  const type = inner.oid();
  const value = inner.open(derTag.constructed(0));
  inner.end();
  if (type !== extensionOid.userNameSan) return { kind: "other", text: "", der };
  const text = value.text(derTag.utf8String);
  value.end();
  return { kind: "userName", text, der };
}

function readNameConstraints(reader: DerReader): NameConstraints {
  const sequence = reader.sequence();
  const permitted = readSubtrees(sequence, 0);
  const excluded = readSubtrees(sequence, 1);
  sequence.end();
  if (permitted.length + excluded.length === 0) throw fail("the name constraints are empty");
  return { permitted, excluded };
}

function readSubtrees(sequence: DerReader, number: number): GeneralName[] {
  const list = sequence.openOptional(derTag.constructed(number));
  const names: GeneralName[] = [];
  while (list !== undefined && list.peek() !== undefined) {
    const subtree = list.sequence();
    names.push(readName(subtree));
    // minimum and maximum are not used on the Internet (RFC 5280 §4.2.1.10); present ones are trailing bytes.
    subtree.end();
  }
  return names;
}

/** True when the certificate names itself as its issuer. */
export function isSelfIssued(certificate: Certificate): boolean {
  return equalBytes(certificate.issuer, certificate.subject);
}

/** Serial number in lower-case hexadecimal, for messages. */
export function serialText(certificate: Certificate): string {
  return encodeHex(certificate.serialNumber);
}
