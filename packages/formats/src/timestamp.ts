import { readAlgorithm } from "./certificate.ts";
import { DerReader, derTag } from "./der-reader.ts";
import { formatsErrors } from "./errors.ts";

/** Object identifiers of time-stamp tokens (RFC 3161 §2.4.2, RFC 5652 §11, RFC 5816). */
const oid = {
  signedData: "1.2.840.113549.1.7.2",
  timeStampContent: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingCertificate: "1.2.840.113549.1.9.16.2.12",
  signingCertificateV2: "1.2.840.113549.1.9.16.2.47",
} as const;

/** Hash algorithms by object identifier; SHA-1 is named so that it can be refused by name. */
const hashNames: Readonly<Record<string, string>> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** What a time-stamp says (RFC 3161 §2.4.2, TSTInfo). */
export interface TimestampStatement {
  readonly policy: string;
  /** `sha1`, `sha256`, `sha384`, `sha512`, or the object identifier of another. */
  readonly imprintAlgorithm: string;
  readonly imprint: Uint8Array;
  readonly serialNumber: Uint8Array;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The hash by which a token names its signer's certificate (RFC 5035). */
export interface SigningCertificateHash {
  readonly algorithm: string;
  readonly hash: Uint8Array;
}

/** A time-stamp token, parsed; nothing in it is verified. */
export interface TimestampToken {
  readonly statement: TimestampStatement;
  /** The signed content: DER TSTInfo. */
  readonly content: Uint8Array;
  /** Certificates that came along, DER, in the order of the token. */
  readonly certificates: readonly Uint8Array[];
  /** Who signed: issuer name and serial number, or a key identifier. */
  readonly signer:
    | { readonly kind: "serial"; readonly issuer: Uint8Array; readonly serialNumber: Uint8Array }
    | { readonly kind: "keyIdentifier"; readonly identifier: Uint8Array };
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  /** The signed attributes as the signature covers them: DER SET OF. */
  readonly signedAttributes: Uint8Array;
  readonly messageDigest: Uint8Array;
  readonly signingCertificates: readonly SigningCertificateHash[];
}

/** A time-stamp response: status 0 or 1 means granted (RFC 3161 §2.4.2). */
export interface TimestampResponse {
  readonly status: number;
  readonly token: TimestampToken | undefined;
}

/** Parses a DER TimeStampResp (RFC 3161 §2.4.2) strictly. @throws TIMESTAMP_MALFORMED */
export function parseTimestampResponse(der: Uint8Array): TimestampResponse {
  return guarded(() => {
    const top = new DerReader(der);
    const response = top.sequence();
    top.end();
    const info = response.sequence();
    const status = info.smallInteger();
    if (info.peek() === derTag.sequence) info.raw();
    if (info.peek() === derTag.bitString) info.raw();
    info.end();
    const token = response.peek() === undefined ? undefined : readToken(response);
    response.end();
    return { status, token };
  });
}

/** Parses a DER time-stamp token (a CMS ContentInfo) strictly. @throws TIMESTAMP_MALFORMED */
export function parseTimestampToken(der: Uint8Array): TimestampToken {
  return guarded(() => {
    const top = new DerReader(der);
    const token = readToken(top);
    top.end();
    return token;
  });
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw formatsErrors.make("TIMESTAMP_MALFORMED", `expected an RFC 3161 time-stamp: ${why}`, { cause });
  }
}

function fail(message: string): Error {
  return formatsErrors.make("TIMESTAMP_MALFORMED", message);
}

function hashName(identifier: string): string {
  return hashNames[identifier] ?? identifier;
}

function readToken(reader: DerReader): TimestampToken {
  const info = reader.sequence();
  if (info.oid() !== oid.signedData) throw fail("the token is not signed data");
  const explicit = info.open(derTag.constructed(0));
  info.end();
  const data = explicit.sequence();
  explicit.end();
  data.smallInteger();
  data.open(derTag.set);
  const encapsulated = data.sequence();
  if (encapsulated.oid() !== oid.timeStampContent) throw fail("the token's content is not a time-stamp");
  const wrapper = encapsulated.open(derTag.constructed(0));
  encapsulated.end();
  const content = wrapper.contents(derTag.octetString);
  wrapper.end();
  const certificates: Uint8Array[] = [];
  const bag = data.openOptional(derTag.constructed(0));
  while (bag !== undefined && bag.peek() !== undefined) certificates.push(bag.raw(derTag.sequence));
  data.openOptional(derTag.constructed(1));
  const signers = data.open(derTag.set);
  data.end();
  const signer = readSigner(signers.sequence());
  // RFC 3161 §2.4.2: the token has exactly one signature, the authority's.
  signers.end();
  return { statement: readStatement(content), content, certificates, ...signer };
}

type Signer = Omit<TimestampToken, "statement" | "content" | "certificates">;

function readSigner(info: DerReader): Signer {
  info.smallInteger();
  const byKey = derTag.context(0);
  let signer: TimestampToken["signer"];
  if (info.peek() === byKey) signer = { kind: "keyIdentifier", identifier: info.contents(byKey) };
  else {
    const sid = info.sequence();
    signer = { kind: "serial", issuer: sid.raw(derTag.sequence), serialNumber: sid.integer() };
    sid.end();
  }
  const digestAlgorithm = hashName(readAlgorithm(info).oid);
  const raw = info.raw(derTag.constructed(0));
  const signatureAlgorithm = readAlgorithm(info).oid;
  const signature = info.contents(derTag.octetString);
  info.openOptional(derTag.constructed(1));
  info.end();
  // The signature covers the attributes as an explicit SET OF, not with the implicit tag (RFC 5652 §5.4).
  const signedAttributes = Buffer.from(raw);
  signedAttributes[0] = derTag.set;
  return {
    signer,
    digestAlgorithm,
    signatureAlgorithm,
    signature,
    signedAttributes,
    ...readAttributes(signedAttributes),
  };
}

function readAttributes(set: Uint8Array): Pick<Signer, "messageDigest" | "signingCertificates"> {
  const attributes = new DerReader(set).open(derTag.set);
  const seen = new Set<string>();
  let messageDigest: Uint8Array | undefined;
  let contentType: string | undefined;
  const signingCertificates: SigningCertificateHash[] = [];
  while (attributes.peek() !== undefined) {
    const attribute = attributes.sequence();
    const type = attribute.oid();
    const values = attribute.open(derTag.set);
    attribute.end();
    if (seen.has(type)) throw fail(`the attribute ${type} stands twice`);
    seen.add(type);
    if (type === oid.messageDigest) messageDigest = values.contents(derTag.octetString);
    else if (type === oid.contentType) contentType = values.oid();
    else if (type === oid.signingCertificate) signingCertificates.push(readCertificateHash(values.sequence(), "sha1"));
    else if (type === oid.signingCertificateV2)
      signingCertificates.push(readCertificateHash(values.sequence(), "sha256"));
    else continue;
    values.end();
  }
  if (messageDigest === undefined) throw fail("the message digest attribute is missing");
  if (contentType !== oid.timeStampContent) throw fail("the content type attribute does not say time-stamp");
  return { messageDigest, signingCertificates };
}

/** SigningCertificate and SigningCertificateV2 (RFC 5035 §5.4.1): the first hash is the signer's. */
function readCertificateHash(attribute: DerReader, defaultAlgorithm: "sha1" | "sha256"): SigningCertificateHash {
  const first = attribute.sequence().sequence();
  const algorithm =
    defaultAlgorithm === "sha256" && first.peek() === derTag.sequence
      ? hashName(readAlgorithm(first).oid)
      : defaultAlgorithm;
  return { algorithm, hash: first.contents(derTag.octetString) };
}

function readStatement(content: Uint8Array): TimestampStatement {
  const top = new DerReader(content);
  const info = top.sequence();
  top.end();
  if (info.smallInteger() !== 1) throw fail("the time-stamp is not of version 1");
  const policy = info.oid();
  const imprint = info.sequence();
  const imprintAlgorithm = hashName(readAlgorithm(imprint).oid);
  const imprintBytes = imprint.contents(derTag.octetString);
  imprint.end();
  const serialNumber = info.integer();
  if (info.peek() !== derTag.generalizedTime) throw fail("the time-stamp has no generalized time");
  const time = info.time({ fraction: true });
  info.openOptional(derTag.sequence);
  info.booleanDefaultFalse();
  if (info.peek() === derTag.integer) info.integer();
  info.openOptional(derTag.constructed(0));
  const extensions = info.openOptional(derTag.constructed(1));
  while (extensions !== undefined && extensions.peek() !== undefined) {
    const extension = extensions.sequence();
    const name = extension.oid();
    if (extension.booleanDefaultFalse()) throw fail(`the critical extension ${name} is not understood`);
  }
  info.end();
  return { policy, imprintAlgorithm, imprint: imprintBytes, serialNumber, time };
}
