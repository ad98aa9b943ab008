import { decodeHex, encodeBase64, encodeHex, parseJson, sha256Bytes } from "@touchmark/core";
import type { Envelope } from "./dsse.ts";
import { formatsErrors } from "./errors.ts";
import { type MemberCodes, Members } from "./members.ts";
import { decodePem, encodePem } from "./pem.ts";

/** Spelling of hash algorithms in Rekor v2 entries (`sigstore_common.proto`, HashAlgorithm). */
export type HashAlgorithmName = "SHA2_256" | "SHA2_384" | "SHA2_512";

/** What a `hashedrekord` 0.0.2 entry binds together. */
export interface HashedRekord {
  /** Digest of what was signed; for an attestation, of the pre-authentication encoding of its envelope. */
  readonly digest: Uint8Array;
  /** Default `SHA2_256`. */
  readonly digestAlgorithm?: HashAlgorithmName;
  readonly signature: Uint8Array;
  /** DER of the signer's certificate; or else `publicKey`. */
  readonly certificate?: Uint8Array;
  /** DER SubjectPublicKeyInfo of a managed key. */
  readonly publicKey?: Uint8Array;
  /** `sigstore_common.proto`, PublicKeyDetails. Default `PKIX_ECDSA_P256_SHA_256`. */
  readonly keyDetails?: string;
}

/**
 * Canonical body of a `hashedrekord` 0.0.2 log entry, byte for byte as Rekor v2 logs it and as verifiers rebuild it
 * (rekor-tiles `api/proto/rekor/v2`, canonicalised by RFC 8785).
 */
export function hashedRekordBody(entry: HashedRekord): Uint8Array {
  const verifier =
    entry.certificate !== undefined
      ? `"x509Certificate":{"rawBytes":"${encodeBase64(entry.certificate)}"}`
      : `"publicKey":{"rawBytes":"${encodeBase64(entry.publicKey ?? new Uint8Array())}"}`;
  const keyDetails = `"keyDetails":"${entry.keyDetails ?? "PKIX_ECDSA_P256_SHA_256"}"`;
  // Members stand in the order of RFC 8785: keyDetails < publicKey < x509Certificate.
  return Buffer.from(
    `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"${
      entry.digestAlgorithm ?? "SHA2_256"
    }","digest":"${encodeBase64(entry.digest)}"},"signature":{"content":"${encodeBase64(
      entry.signature,
    )}","verifier":{${keyDetails},${verifier}}}}}}`,
  );
}

/**
 * Canonical body of a `dsse` 0.0.1 log entry (Rekor v1 `pkg/types/dsse/v0.0.1`): hashes of envelope and payload, the
 * signatures and their verifiers as PEM. The envelope hash covers the envelope as a bundle spells it.
 */
export function dsseRekordBody(entry: { readonly envelope: Envelope; readonly certificate: Uint8Array }): Uint8Array {
  const { envelope, certificate } = entry;
  const text = JSON.stringify({
    payload: encodeBase64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ sig, keyid }) => ({
      sig: encodeBase64(sig),
      ...(keyid === undefined ? {} : { keyid }),
    })),
  });
  const verifier = encodeBase64(Buffer.from(encodePem("CERTIFICATE", certificate)));
  const signatures = envelope.signatures.map(
    ({ sig }) => `{"signature":"${encodeBase64(sig)}","verifier":"${verifier}"}`,
  );
  const hash = (content: Uint8Array | string) => `{"algorithm":"sha256","value":"${encodeHex(sha256Bytes(content))}"}`;
  return Buffer.from(
    `{"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":${hash(text)},"payloadHash":${hash(
      envelope.payload,
    )},"signatures":[${signatures.join(",")}]}}`,
  );
}

/** The bytes that a signed entry timestamp covers (Rekor v1: canonical JSON of body, time, log id and index). */
export function signedEntryTimestampMessage(entry: {
  readonly canonicalizedBody: Uint8Array;
  readonly integratedTime: number;
  readonly logId: Uint8Array;
  readonly logIndex: number;
}): Uint8Array {
  return Buffer.from(
    `{"body":"${encodeBase64(entry.canonicalizedBody)}","integratedTime":${entry.integratedTime},"logID":"${encodeHex(
      entry.logId,
    )}","logIndex":${entry.logIndex}}`,
  );
}

/** A digest with the algorithm's in-toto spelling. */
export interface LoggedDigest {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  readonly value: Uint8Array;
}

/** One signature that a log entry records, with the key that it names. */
export interface LoggedSignature {
  readonly signature: Uint8Array;
  readonly verifier: { readonly kind: "certificate" | "publicKey"; readonly der: Uint8Array };
}

/** What a log entry says was signed, by whom. */
export interface LoggedRecord {
  readonly kind: "hashedrekord" | "dsse" | "intoto";
  readonly version: string;
  /** `hashedrekord`: digest of the signed bytes. */
  readonly digest?: LoggedDigest;
  /** `dsse`, `intoto`: digest of the envelope's payload. */
  readonly payloadDigest?: LoggedDigest;
  /** Set where the entry names the algorithm of the key (Rekor v2). */
  readonly keyDetails?: string;
  readonly signatures: readonly LoggedSignature[];
}

const codes: MemberCodes = {
  malformed: "LOG_ENTRY_MALFORMED",
  unknownField: "LOG_ENTRY_MALFORMED",
  base64: "LOG_ENTRY_MALFORMED",
  integer: "LOG_ENTRY_MALFORMED",
};

/** Bodies are at most one tile entry (C2SP tlog-tiles) in Rekor v2; v1's `intoto` repeats the payload. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads a log entry's body: hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1 and 0.0.2, intoto 0.0.2.
 * @throws LOG_ENTRY_MALFORMED | LOG_ENTRY_KIND_UNKNOWN | JSON_MALFORMED | JSON_DUPLICATE_KEY
 */
export function parseLogEntryBody(kind: string, version: string, body: Uint8Array): LoggedRecord {
  const reader = Object.hasOwn(readers, `${kind} ${version}`) ? readers[`${kind} ${version}`] : undefined;
  if (reader === undefined) {
    throw formatsErrors.make(
      "LOG_ENTRY_KIND_UNKNOWN",
      `expected hashedrekord or dsse 0.0.1 or 0.0.2, or intoto 0.0.2, found ${JSON.stringify(`${kind} ${version}`.slice(0, 80))}`,
    );
  }
  const top = new Members(parseJson(body, { maxBytes: MAX_BODY_BYTES, maxDepth: 16 }), "log entry", codes);
  const found = `${top.string("kind")} ${top.string("apiVersion")}`;
  if (found !== `${kind} ${version}`) {
    throw top.malformed(`expected a body of ${kind} ${version}, found ${JSON.stringify(found.slice(0, 80))}`);
  }
  const record = reader(top.object("spec"));
  top.end();
  return record;
}

const readers: Readonly<Record<string, (spec: Members) => LoggedRecord>> = {
  "hashedrekord 0.0.2": readHashedRekordV2,
  "hashedrekord 0.0.1": readHashedRekordV1,
  "dsse 0.0.1": readDsseV1,
  "dsse 0.0.2": readDsseV2,
  "intoto 0.0.2": readIntoto,
};

function readHashedRekordV2(spec: Members): LoggedRecord {
  const entry = spec.object("hashedRekordV002");
  spec.end();
  const digest = readHashOutput(entry.object("data"));
  const { signature, keyDetails } = readSignatureV2(entry.object("signature"));
  entry.end();
  return { kind: "hashedrekord", version: "0.0.2", digest, keyDetails, signatures: [signature] };
}

function readDsseV2(spec: Members): LoggedRecord {
  const entry = spec.object("dsseV002");
  spec.end();
  const payloadDigest = readHashOutput(entry.object("payloadHash"));
  const signatures = entry.objects("signatures", 16).map((each) => readSignatureV2(each).signature);
  entry.end();
  return { kind: "dsse", version: "0.0.2", payloadDigest, signatures };
}

const hashNames: Readonly<Record<string, LoggedDigest["algorithm"]>> = {
  SHA2_256: "sha256",
  SHA2_384: "sha384",
  SHA2_512: "sha512",
};

function readHashOutput(output: Members): LoggedDigest {
  const algorithm = hashNames[output.string("algorithm")];
  const value = output.bytes("digest");
  output.end();
  if (algorithm === undefined) throw output.malformed(`expected a SHA-2 algorithm at ${output.path}`);
  return { algorithm, value };
}

function readSignatureV2(members: Members): { signature: LoggedSignature; keyDetails: string } {
  const content = members.bytes("content");
  const verifier = members.object("verifier");
  members.end();
  const keyDetails = verifier.string("keyDetails");
  const certificate = verifier.optionalObject("x509Certificate");
  const publicKey = verifier.optionalObject("publicKey");
  verifier.end();
  const key = certificate ?? publicKey;
  if (key === undefined || (certificate !== undefined && publicKey !== undefined)) {
    throw verifier.malformed(`expected either x509Certificate or publicKey at ${verifier.path}`);
  }
  const der = key.bytes("rawBytes");
  key.end();
  const kind = certificate === undefined ? "publicKey" : "certificate";
  return { signature: { signature: content, verifier: { kind, der } }, keyDetails };
}

function readHashedRekordV1(spec: Members): LoggedRecord {
  const content = spec.object("data");
  const digest = readHash(content.object("hash"));
  content.end();
  const signature = spec.object("signature");
  const publicKey = signature.object("publicKey");
  const verifier = readPem(publicKey, "content");
  publicKey.end();
  const bytes = signature.bytes("content");
  signature.end();
  spec.end();
  return { kind: "hashedrekord", version: "0.0.1", digest, signatures: [{ signature: bytes, verifier }] };
}

function readDsseV1(spec: Members): LoggedRecord {
  readHash(spec.object("envelopeHash"));
  const payloadDigest = readHash(spec.object("payloadHash"));
  const signatures = spec.objects("signatures", 16).map((each) => {
    const logged = { signature: each.bytes("signature"), verifier: readPem(each, "verifier") };
    each.end();
    return logged;
  });
  spec.end();
  return { kind: "dsse", version: "0.0.1", payloadDigest, signatures };
}

function readIntoto(spec: Members): LoggedRecord {
  const content = spec.object("content");
  spec.end();
  readHash(content.object("hash"));
  const payloadDigest = readHash(content.object("payloadHash"));
  const envelope = content.object("envelope");
  content.end();
  envelope.string("payloadType");
  envelope.optionalString("payload");
  const signatures = envelope.objects("signatures", 16).map((each) => {
    // This kind encodes the base64 text of the envelope once more.
    const inner = Buffer.from(each.bytes("sig")).toString("latin1");
    const logged = { signature: each.base64(inner, "sig"), verifier: readPem(each, "publicKey") };
    each.optionalString("keyid");
    each.end();
    return logged;
  });
  envelope.end();
  return { kind: "intoto", version: "0.0.2", payloadDigest, signatures };
}

function readHash(hash: Members): LoggedDigest {
  const algorithm = hash.string("algorithm");
  const value = hash.string("value");
  hash.end();
  const length = { sha256: 64, sha384: 96, sha512: 128 }[algorithm];
  if (length === undefined || !/^[0-9a-f]+$/.test(value) || value.length !== length) {
    throw hash.malformed(`expected a SHA-2 digest at ${hash.path}`);
  }
  return { algorithm: algorithm as LoggedDigest["algorithm"], value: decodeHex(value) };
}

function readPem(members: Members, name: string): LoggedSignature["verifier"] {
  const text = Buffer.from(members.bytes(name)).toString("latin1");
  const block = decodePem(text);
  if (block?.label === "CERTIFICATE") return { kind: "certificate", der: block.der };
  if (block?.label === "PUBLIC KEY") return { kind: "publicKey", der: block.der };
  throw members.malformed(`expected one PEM certificate or public key at ${members.path}.${name}`);
}
