import { encodeBase64, parseJson, rfc3339 } from "@touchmark/core";
import { formatsErrors } from "./errors.ts";
import { type MemberCodes, Members } from "./members.ts";

/** Media type of the trusted roots that this project writes: the one that current cosign accepts. */
export const TRUSTED_ROOT_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

const mediaTypes: readonly string[] = [
  TRUSTED_ROOT_MEDIA_TYPE,
  "application/vnd.dev.sigstore.trustedroot.v0.1+json",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/** A closed interval; without an end it is still open. */
export interface TimeRange {
  readonly start: Date;
  readonly end?: Date;
}

/** A transparency log that is trusted (`sigstore_trustroot.proto`, TransparencyLogInstance). */
export interface TrustedLog {
  readonly baseUrl: string;
  readonly publicKey: {
    /** DER SubjectPublicKeyInfo. */
    readonly der: Uint8Array;
    /** `sigstore_common.proto`, PublicKeyDetails. */
    readonly keyDetails: string;
    readonly validFor: TimeRange;
  };
  readonly logId: Uint8Array;
  readonly checkpointKeyId?: Uint8Array;
  /** Name of the operator; thresholds count operators. */
  readonly operator?: string;
}

/** A certificate authority or time-stamp authority that is trusted. */
export interface TrustedAuthority {
  readonly subject?: { readonly organization?: string; readonly commonName?: string };
  readonly uri?: string;
  /** DER, leaf or lowest authority first; the last is the anchor. */
  readonly certificates: readonly Uint8Array[];
  readonly validFor: TimeRange;
  readonly operator?: string;
}

/** A trusted root, decoded: keys are still bytes. */
export interface TrustedRoot {
  readonly logs: readonly TrustedLog[];
  readonly certificateAuthorities: readonly TrustedAuthority[];
  readonly certificateLogs: readonly TrustedLog[];
  readonly timestampAuthorities: readonly TrustedAuthority[];
}

const codes: MemberCodes = {
  malformed: "TRUSTED_ROOT_MALFORMED",
  unknownField: "TRUSTED_ROOT_UNKNOWN_FIELD",
  base64: "TRUSTED_ROOT_MALFORMED",
  integer: "TRUSTED_ROOT_MALFORMED",
};

const MAX_INSTANCES = 256;

/**
 * Reads a trusted root strictly. Every validity needs its start: an absent one is not taken for "always".
 * @throws TRUSTED_ROOT_MALFORMED | TRUSTED_ROOT_UNKNOWN_FIELD | TRUSTED_ROOT_VERSION_UNKNOWN | JSON_MALFORMED | JSON_DUPLICATE_KEY
 */
export function parseTrustedRoot(bytes: Uint8Array): TrustedRoot {
  const top = new Members(parseJson(bytes, { maxBytes: 8 * 1024 * 1024, maxDepth: 16 }), "trusted root", codes);
  const mediaType = top.string("mediaType");
  if (!mediaTypes.includes(mediaType)) {
    throw formatsErrors.make(
      "TRUSTED_ROOT_VERSION_UNKNOWN",
      `expected mediaType ${TRUSTED_ROOT_MEDIA_TYPE}, found ${JSON.stringify(mediaType.slice(0, 100))}`,
    );
  }
  const root: TrustedRoot = {
    logs: top.objects("tlogs", MAX_INSTANCES).map(readLog),
    certificateAuthorities: top.objects("certificateAuthorities", MAX_INSTANCES).map(readAuthority),
    certificateLogs: top.objects("ctlogs", MAX_INSTANCES).map(readLog),
    timestampAuthorities: top.objects("timestampAuthorities", MAX_INSTANCES).map(readAuthority),
  };
  top.end();
  return root;
}

function readLog(log: Members): TrustedLog {
  if (log.string("hashAlgorithm") !== "SHA2_256") throw log.malformed(`expected SHA2_256 at ${log.path}.hashAlgorithm`);
  const publicKey = log.object("publicKey");
  const key = {
    der: publicKey.bytes("rawBytes"),
    keyDetails: publicKey.string("keyDetails"),
    validFor: readRange(publicKey.object("validFor")),
  };
  publicKey.end();
  const checkpointKeyId = readLogId(log.optionalObject("checkpointKeyId"));
  const operator = log.optionalString("operator");
  const logId = readLogId(log.object("logId")) as Uint8Array;
  const read: TrustedLog = {
    baseUrl: log.optionalString("baseUrl") ?? "",
    publicKey: key,
    logId,
    ...(checkpointKeyId === undefined ? {} : { checkpointKeyId }),
    ...(operator === undefined ? {} : { operator }),
  };
  log.end();
  return read;
}

function readLogId(logId: Members | undefined): Uint8Array | undefined {
  const keyId = logId?.bytes("keyId");
  logId?.end();
  return keyId;
}

function readAuthority(authority: Members): TrustedAuthority {
  const chain = authority.object("certChain");
  const certificates = chain.objects("certificates", 16).map((each) => {
    const der = each.bytes("rawBytes");
    each.end();
    return der;
  });
  chain.end();
  if (certificates.length === 0) throw authority.malformed(`expected a certificate at ${authority.path}.certChain`);
  const subject = readSubject(authority.optionalObject("subject"));
  const uri = authority.optionalString("uri");
  const operator = authority.optionalString("operator");
  const read: TrustedAuthority = {
    ...(subject === undefined ? {} : { subject }),
    ...(uri === undefined ? {} : { uri }),
    certificates,
    validFor: readRange(authority.object("validFor")),
    ...(operator === undefined ? {} : { operator }),
  };
  authority.end();
  return read;
}

function readSubject(subject: Members | undefined): TrustedAuthority["subject"] {
  if (subject === undefined) return undefined;
  const organization = subject.optionalString("organization");
  const commonName = subject.optionalString("commonName");
  subject.end();
  return {
    ...(organization === undefined ? {} : { organization }),
    ...(commonName === undefined ? {} : { commonName }),
  };
}

function readRange(range: Members): TimeRange {
  const start = readTime(range, "start", range.string("start"));
  const endText = range.optionalString("end");
  range.end();
  if (endText === undefined) return { start };
  const end = readTime(range, "end", endText);
  if (end < start) throw range.malformed(`expected an end not before the start at ${range.path}`);
  return { start, end };
}

const timeShape = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

function readTime(range: Members, name: string, text: string): Date {
  const time = timeShape.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime())) {
    throw range.malformed(
      `expected an RFC 3339 UTC time at ${range.path}.${name}, found ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return time;
}

/** Writes a trusted root that cosign accepts: the older media type, operators only where they are set. */
export function serializeTrustedRoot(root: TrustedRoot): Uint8Array {
  const document = {
    mediaType: TRUSTED_ROOT_MEDIA_TYPE,
    tlogs: root.logs.map(logJson),
    certificateAuthorities: root.certificateAuthorities.map(authorityJson),
    ctlogs: root.certificateLogs.map(logJson),
    timestampAuthorities: root.timestampAuthorities.map(authorityJson),
  };
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
}

function logJson(log: TrustedLog): object {
  return {
    baseUrl: log.baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: encodeBase64(log.publicKey.der),
      keyDetails: log.publicKey.keyDetails,
      validFor: rangeJson(log.publicKey.validFor),
    },
    logId: { keyId: encodeBase64(log.logId) },
    ...(log.checkpointKeyId === undefined ? {} : { checkpointKeyId: { keyId: encodeBase64(log.checkpointKeyId) } }),
    ...(log.operator === undefined ? {} : { operator: log.operator }),
  };
}

function authorityJson(authority: TrustedAuthority): object {
  return {
    ...(authority.subject === undefined ? {} : { subject: authority.subject }),
    ...(authority.uri === undefined ? {} : { uri: authority.uri }),
    certChain: { certificates: authority.certificates.map((der) => ({ rawBytes: encodeBase64(der) })) },
    validFor: rangeJson(authority.validFor),
    ...(authority.operator === undefined ? {} : { operator: authority.operator }),
  };
}

function rangeJson(range: TimeRange): object {
  return { start: rfc3339(range.start), ...(range.end === undefined ? {} : { end: rfc3339(range.end) }) };
}
