import { encodeBase64, parseJson } from "@touchmark/core";
import type { Envelope } from "./dsse.ts";
import { formatsErrors } from "./errors.ts";
import { type MemberCodes, Members } from "./members.ts";

/** Media type of the bundles that this project writes (Sigstore protobuf-specs, `sigstore_bundle.proto`). */
export const BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const versions: Readonly<Record<string, BundleVersion>> = {
  "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
  "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
  "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
  [BUNDLE_MEDIA_TYPE]: "0.3",
};

export type BundleVersion = "0.1" | "0.2" | "0.3";

/** Inclusion of an entry in a log, as of one checkpoint. */
export interface InclusionProof {
  /** Index of the entry in the tree of the proof. */
  readonly logIndex: number;
  readonly rootHash: Uint8Array;
  readonly treeSize: number;
  /** Leaf to root. */
  readonly hashes: readonly Uint8Array[];
  /** Signed note (C2SP tlog-checkpoint). */
  readonly checkpoint: string;
}

/** One transparency log entry of a bundle. */
export interface TransparencyLogEntry {
  readonly logIndex: number;
  /** Identifier of the log key: 32 bytes. */
  readonly logId: Uint8Array;
  readonly kind: string;
  readonly version: string;
  /** Unix seconds by the log's own clock; absent or 0 where the log signs none. */
  readonly integratedTime?: number;
  /** Signature over body, time, index and log id (Rekor v1). */
  readonly signedEntryTimestamp?: Uint8Array;
  readonly inclusionProof?: InclusionProof;
  readonly canonicalizedBody: Uint8Array;
}

/** What the bundle says the signature is to be checked with. */
export type KeyMaterial =
  | {
      readonly kind: "certificate";
      /** DER of the leaf. */
      readonly certificate: Uint8Array;
      /** Further certificates of an `x509CertificateChain`; never trusted. */
      readonly others: readonly Uint8Array[];
    }
  | { readonly kind: "publicKey"; readonly hint: string };

/** What was signed. */
export type BundleContent =
  | ({ readonly kind: "envelope" } & Envelope)
  | {
      readonly kind: "message";
      /** Spelled as the specification's enum: `SHA2_256`, `SHA2_384`, `SHA2_512`. */
      readonly digestAlgorithm: string;
      readonly digest: Uint8Array;
      readonly signature: Uint8Array;
    };

/** A Sigstore bundle, decoded and not yet verified. */
export interface Bundle {
  readonly version: BundleVersion;
  readonly keyMaterial: KeyMaterial;
  readonly logEntries: readonly TransparencyLogEntry[];
  /** DER TimeStampResp each. */
  readonly timestamps: readonly Uint8Array[];
  readonly content: BundleContent;
}

const codes: MemberCodes = {
  malformed: "BUNDLE_MALFORMED",
  unknownField: "BUNDLE_UNKNOWN_FIELD",
  base64: "BUNDLE_BASE64_INVALID",
  integer: "BUNDLE_INTEGER_INVALID",
};

/** Limits against bundles made to cost time; peers allow 32 entries and 32 time-stamps. */
const MAX_ENTRIES = 32;
const MAX_TIMESTAMPS = 32;
const MAX_HASHES = 64;
const MAX_CERTIFICATES = 16;
const MAX_SIGNATURES = 16;

/** Largest bundle read, in bytes. */
export const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;

/**
 * Reads a Sigstore bundle strictly: versions 0.1, 0.2 and both spellings of 0.3.
 * @throws BUNDLE_MALFORMED | BUNDLE_UNKNOWN_FIELD | BUNDLE_VERSION_UNKNOWN | BUNDLE_INTEGER_INVALID | BUNDLE_BASE64_INVALID
 *   | JSON_MALFORMED | JSON_DUPLICATE_KEY | JSON_TOO_DEEP | JSON_TOO_LARGE
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  const top = new Members(parseJson(bytes, { maxBytes: MAX_BUNDLE_BYTES, maxDepth: 16 }), "bundle", codes);
  const mediaType = top.string("mediaType");
  const version = Object.hasOwn(versions, mediaType) ? versions[mediaType] : undefined;
  if (version === undefined) {
    throw formatsErrors.make(
      "BUNDLE_VERSION_UNKNOWN",
      `expected mediaType ${BUNDLE_MEDIA_TYPE}, found ${JSON.stringify(mediaType.slice(0, 100))}`,
    );
  }
  const material = top.object("verificationMaterial");
  const keyMaterial = readKeyMaterial(material);
  const logEntries = material.objects("tlogEntries", MAX_ENTRIES).map(readEntry);
  const timestamps = readTimestamps(material);
  material.end();
  const content = readContent(top);
  top.end();
  return { version, keyMaterial, logEntries, timestamps, content };
}

function readKeyMaterial(material: Members): KeyMaterial {
  const present = ["certificate", "x509CertificateChain", "publicKey"].filter((name) => material.has(name));
  if (present.length !== 1) {
    throw material.malformed(
      `expected one of certificate, x509CertificateChain and publicKey at ${material.path}, found ${present.join(" and ") || "none"}`,
    );
  }
  const publicKey = material.optionalObject("publicKey");
  if (publicKey !== undefined) {
    const hint = publicKey.optionalString("hint") ?? "";
    publicKey.end();
    return { kind: "publicKey", hint };
  }
  const single = material.optionalObject("certificate");
  const chain = material.optionalObject("x509CertificateChain");
  const members = single !== undefined ? [single] : (chain as Members).objects("certificates", MAX_CERTIFICATES);
  const [certificate, ...others] = members.map((each) => {
    const der = each.bytes("rawBytes");
    each.end();
    return der;
  });
  chain?.end();
  if (certificate === undefined) throw material.malformed("expected at least one certificate, found an empty chain");
  return { kind: "certificate", certificate, others };
}

function readEntry(entry: Members): TransparencyLogEntry {
  const logId = entry.object("logId");
  const keyId = logId.bytes("keyId");
  logId.end();
  const kindVersion = entry.object("kindVersion");
  const kind = kindVersion.string("kind");
  const version = kindVersion.string("version");
  kindVersion.end();
  const promise = entry.optionalObject("inclusionPromise");
  const signedEntryTimestamp = promise?.bytes("signedEntryTimestamp");
  promise?.end();
  const integratedTime = entry.optionalInteger("integratedTime");
  const inclusionProof = readProof(entry.optionalObject("inclusionProof"));
  const read: TransparencyLogEntry = {
    // ProtoJSON leaves the number out where it is zero: the first entry of a log.
    logIndex: entry.optionalInteger("logIndex") ?? 0,
    logId: keyId,
    kind,
    version,
    ...(integratedTime === undefined ? {} : { integratedTime }),
    ...(signedEntryTimestamp === undefined ? {} : { signedEntryTimestamp }),
    ...(inclusionProof === undefined ? {} : { inclusionProof }),
    canonicalizedBody: entry.bytes("canonicalizedBody"),
  };
  entry.end();
  return read;
}

function readProof(proof: Members | undefined): InclusionProof | undefined {
  if (proof === undefined) return undefined;
  const hashes = proof.list("hashes", MAX_HASHES).map((hash) => {
    if (typeof hash !== "string") throw proof.malformed(`expected base64 strings at ${proof.path}.hashes`);
    return sized(proof, "hashes", proof.base64(hash, "hashes"));
  });
  const checkpoint = proof.object("checkpoint");
  const envelope = checkpoint.string("envelope");
  checkpoint.end();
  const read: InclusionProof = {
    logIndex: proof.optionalInteger("logIndex") ?? 0,
    rootHash: sized(proof, "rootHash", proof.bytes("rootHash")),
    treeSize: proof.integer("treeSize"),
    hashes,
    checkpoint: envelope,
  };
  proof.end();
  return read;
}

function sized(members: Members, name: string, hash: Uint8Array): Uint8Array {
  if (hash.length !== 32) throw members.malformed(`expected 32 bytes at ${members.path}.${name}, found ${hash.length}`);
  return hash;
}

function readTimestamps(material: Members): Uint8Array[] {
  const verification = material.optionalObject("timestampVerificationData");
  if (verification === undefined) return [];
  const timestamps = verification.objects("rfc3161Timestamps", MAX_TIMESTAMPS).map((each) => {
    const stamp = each.bytes("signedTimestamp");
    each.end();
    return stamp;
  });
  verification.end();
  return timestamps;
}

function readContent(top: Members): BundleContent {
  if (top.has("dsseEnvelope") === top.has("messageSignature")) {
    throw top.malformed("expected either dsseEnvelope or messageSignature in the bundle");
  }
  const envelope = top.optionalObject("dsseEnvelope");
  if (envelope !== undefined) {
    const payloadType = envelope.string("payloadType");
    const payload = envelope.bytes("payload");
    const signatures = envelope.objects("signatures", MAX_SIGNATURES).map((each) => {
      const sig = each.bytes("sig");
      const keyid = each.optionalString("keyid");
      each.end();
      return keyid === undefined ? { sig } : { sig, keyid };
    });
    envelope.end();
    return { kind: "envelope", payloadType, payload, signatures };
  }
  const message = top.object("messageSignature");
  const digest = message.object("messageDigest");
  const content: BundleContent = {
    kind: "message",
    digestAlgorithm: digest.string("algorithm"),
    digest: digest.bytes("digest"),
    signature: message.bytes("signature"),
  };
  digest.end();
  message.end();
  return content;
}

/**
 * Writes a bundle as version 0.3, whatever version it was read from: members in the order of the specification,
 * numbers as ProtoJSON spells them. Certificates other than the leaf are left out, as the specification demands.
 */
export function serializeBundle(bundle: Omit<Bundle, "version">): Uint8Array {
  const material = bundle.keyMaterial;
  const document = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      ...(material.kind === "certificate"
        ? { certificate: { rawBytes: encodeBase64(material.certificate) } }
        : { publicKey: { hint: material.hint } }),
      tlogEntries: bundle.logEntries.map(entryJson),
      timestampVerificationData: {
        rfc3161Timestamps: bundle.timestamps.map((stamp) => ({ signedTimestamp: encodeBase64(stamp) })),
      },
    },
    ...contentJson(bundle.content),
  };
  return Buffer.from(JSON.stringify(document));
}

function entryJson(entry: TransparencyLogEntry): object {
  const proof = entry.inclusionProof;
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: encodeBase64(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.version },
    ...(entry.integratedTime === undefined ? {} : { integratedTime: String(entry.integratedTime) }),
    ...(entry.signedEntryTimestamp === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: encodeBase64(entry.signedEntryTimestamp) } }),
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: String(proof.logIndex),
            rootHash: encodeBase64(proof.rootHash),
            treeSize: String(proof.treeSize),
            hashes: proof.hashes.map(encodeBase64),
            checkpoint: { envelope: proof.checkpoint },
          },
        }),
    canonicalizedBody: encodeBase64(entry.canonicalizedBody),
  };
}

function contentJson(content: BundleContent): object {
  if (content.kind === "message") {
    return {
      messageSignature: {
        messageDigest: { algorithm: content.digestAlgorithm, digest: encodeBase64(content.digest) },
        signature: encodeBase64(content.signature),
      },
    };
  }
  return {
    dsseEnvelope: {
      payload: encodeBase64(content.payload),
      payloadType: content.payloadType,
      signatures: content.signatures.map(({ sig, keyid }) => ({
        sig: encodeBase64(sig),
        ...(keyid === undefined ? {} : { keyid }),
      })),
    },
  };
}
