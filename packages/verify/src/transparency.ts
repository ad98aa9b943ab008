import { verify } from "node:crypto";
import { equalBytes, leafHash, verifyInclusion } from "@touchmark/core";
import {
  type BundleContent,
  type Cosignature,
  type HashAlgorithmName,
  hashedRekordBody,
  type InclusionProof,
  type LoggedDigest,
  type LoggedRecord,
  openCheckpoint,
  parseLogEntryBody,
  signedEntryTimestampMessage,
  type TransparencyLogEntry,
  type VerifiedCheckpoint,
  type WitnessPolicy,
} from "@touchmark/formats/evidence";
import { within } from "./certificate-path.ts";
import { caught, verifyErrors } from "./errors.ts";
import type { VerificationKey } from "./public-key.ts";
import { Recent } from "./recent.ts";
import type { VerifiedTime } from "./timestamp.ts";
import type { LogAuthority } from "./trust-root.ts";

/** What a log entry must record, taken from the bundle alone. */
export interface SignedContent {
  readonly contentKind: BundleContent["kind"];
  readonly signature: Uint8Array;
  readonly signer: { readonly kind: "certificate" | "publicKey"; readonly der: Uint8Array };
  readonly key: VerificationKey;
  /** Digest of the signed bytes by the hash that goes with the key; undefined for Ed25519. */
  readonly digest: Uint8Array | undefined;
  /** Digest of an envelope's payload by the given hash. */
  payloadDigest(algorithm: LoggedDigest["algorithm"]): Uint8Array | undefined;
}

/** A log entry that was verified. */
export interface VerifiedLogEntry {
  /** Origin of the log. */
  readonly origin: string;
  readonly operator: string;
  readonly logIndex: number;
  readonly treeSize: number;
  readonly kind: string;
  readonly version: string;
  /** Cosignatures that a witness policy counted. */
  readonly cosignatures: readonly Cosignature[];
  /** The log's own time, where it signed one. */
  readonly integratedTime: Date | undefined;
}

/** How log entries are judged. */
export interface LogRules {
  readonly threshold: number;
  readonly witnesses: WitnessPolicy | undefined;
  readonly now: Date;
}

/**
 * Verifies the log entries of a bundle: each entry of a trusted log must hold; entries of unknown logs do not count.
 * The threshold counts operators, and of several logs with one key only the first.
 * @throws LOG_* | CHECKPOINT_* | NOTE_* | WITNESS_QUORUM_MISSING
 */
export function verifyLogEntries(
  entries: readonly TransparencyLogEntry[],
  content: SignedContent,
  logs: readonly LogAuthority[],
  rules: LogRules,
): { entries: VerifiedLogEntry[]; windows: LogAuthority[] } {
  if (entries.length === 0)
    throw verifyErrors.make("LOG_ENTRY_MISSING", "expected a transparency log entry, found none");
  checkDuplicates(entries);
  const verified: VerifiedLogEntry[] = [];
  const used: LogAuthority[] = [];
  for (const entry of entries) {
    const candidates = logs.filter((log) => equalBytes(log.logId, entry.logId));
    if (candidates.length === 0) continue;
    const { log, fact } = verifyWithAny(entry, content, candidates, rules);
    verified.push(fact);
    used.push(log);
  }
  const counted = countOperators(used);
  if (counted === 0) {
    throw verifyErrors.make("LOG_UNKNOWN", "expected an entry of a log that the trusted root lists, found another's");
  }
  if (counted < rules.threshold) {
    throw verifyErrors.make(
      "LOG_THRESHOLD",
      `expected entries of ${rules.threshold} log operators, found ${counted}: ${[...new Set(used.map((log) => log.operator))].join(", ")}`,
    );
  }
  return { entries: verified, windows: used };
}

function countOperators(logs: readonly LogAuthority[]): number {
  const operators = new Set<string>();
  const keys: Uint8Array[] = [];
  for (const log of logs) {
    if (keys.some((key) => equalBytes(key, log.key.der))) continue;
    keys.push(log.key.der);
    operators.add(log.operator);
  }
  return operators.size;
}

function checkDuplicates(entries: readonly TransparencyLogEntry[]): void {
  for (const [i, entry] of entries.entries()) {
    const twin = entries.slice(0, i).find((e) => e.logIndex === entry.logIndex && equalBytes(e.logId, entry.logId));
    if (twin !== undefined) {
      throw verifyErrors.make("LOG_ENTRY_DUPLICATE", `the bundle lists entry ${entry.logIndex} of one log twice`);
    }
  }
}

/** A log may stand in the trusted root several times, with several windows or names; one of them must do. */
function verifyWithAny(
  entry: TransparencyLogEntry,
  content: SignedContent,
  candidates: readonly LogAuthority[],
  rules: LogRules,
): { log: LogAuthority; fact: VerifiedLogEntry } {
  let reason: Error | undefined;
  for (const log of candidates) {
    try {
      return { log, fact: verifyEntry(entry, content, log, rules) };
    } catch (error) {
      reason ??= caught(error);
    }
  }
  throw reason ?? verifyErrors.make("LOG_UNKNOWN", "no log of the trusted root has the identifier of the entry");
}

function verifyEntry(
  entry: TransparencyLogEntry,
  content: SignedContent,
  log: LogAuthority,
  rules: LogRules,
): VerifiedLogEntry {
  checkRecord(entry, content);
  const integratedTime = verifyPromise(entry, log);
  const proof = entry.inclusionProof;
  if (proof === undefined) throw verifyErrors.make("LOG_PROOF_MISSING", "expected an inclusion proof, found none");
  // Rekor v1 counts entries over all its trees and signs that number; nobody signs another number than the proof's.
  if (integratedTime === undefined && proof.logIndex !== entry.logIndex) {
    throw verifyErrors.make(
      "LOG_INDEX_MISMATCH",
      `expected the index of the proof, ${proof.logIndex}, found ${entry.logIndex}`,
    );
  }
  try {
    verifyInclusion(proof.logIndex, proof.treeSize, leafHash(entry.canonicalizedBody), proof.hashes, proof.rootHash);
  } catch (cause) {
    throw verifyErrors.make("LOG_PROOF_INVALID", (cause as Error).message, { cause });
  }
  const cosignatures = verifyCheckpoint(proof, log, rules);
  const { logIndex, kind, version } = entry;
  return {
    origin: log.origin,
    operator: log.operator,
    logIndex,
    treeSize: proof.treeSize,
    kind,
    version,
    cosignatures,
    integratedTime,
  };
}

/** Origin of a Rekor v1 checkpoint: name of the log and number of the tree. */
const treeSuffix = / - [0-9]{1,20}$/;

/** Entries that were appended together come with one checkpoint. */
const opened = new Recent<LogAuthority, VerifiedCheckpoint>(64);

function verifyCheckpoint(proof: InclusionProof, log: LogAuthority, rules: LogRules): readonly Cosignature[] {
  const [origin = "", size = ""] = proof.checkpoint.split("\n", 2);
  if (!/^(?:0|[1-9][0-9]*)$/.test(size) && /^[+-]?[0-9a-fx]+$/i.test(size)) {
    throw verifyErrors.make(
      "CHECKPOINT_SIZE_NOT_CANONICAL",
      `expected a tree size in canonical decimal, found ${JSON.stringify(size.slice(0, 40))}`,
    );
  }
  if (log.verifiers.length === 0) {
    throw verifyErrors.make(
      "LOG_KEY_UNSUPPORTED",
      `the log ${log.operator} has no name, or a key of an unsupported kind`,
    );
  }
  const policy = rules.witnesses;
  if (
    policy !== undefined &&
    policy.logs.length > 0 &&
    !policy.logs.some((each) => each.verifier.publicKey.equals(log.key.key))
  ) {
    throw verifyErrors.make("LOG_NOT_IN_POLICY", `expected a log of the witness policy, found ${log.origin}`);
  }
  // Only ECDSA logs are of the first version, whose checkpoints name the tree after the log.
  const bare = log.key.family === "ec" ? origin.replace(treeSuffix, "") : log.origin;
  const named = log.verifiers.filter((verifier) => verifier.name === bare);
  const verifiers = named.length > 0 ? named : log.verifiers;
  const expected = { log: verifiers, origin: named.length > 0 && log.key.family === "ec" ? origin : log.origin };
  const checkpoint =
    policy === undefined
      ? opened.get(log, proof.checkpoint, () => openCheckpoint(proof.checkpoint, expected))
      : openCheckpoint(proof.checkpoint, { ...expected, witnesses: policy, now: rules.now });
  if (checkpoint.size !== proof.treeSize || !equalBytes(checkpoint.root, proof.rootHash)) {
    throw verifyErrors.make(
      "CHECKPOINT_ROOT_MISMATCH",
      `the checkpoint of size ${checkpoint.size} has another root than the proof of size ${proof.treeSize}`,
    );
  }
  return checkpoint.cosignatures;
}

/** Verifies the signed entry timestamp, if there is one, and gives the time it signs. */
function verifyPromise(entry: TransparencyLogEntry, log: LogAuthority): Date | undefined {
  const { integratedTime, signedEntryTimestamp } = entry;
  if (signedEntryTimestamp === undefined) {
    if (integratedTime === undefined || integratedTime === 0) return undefined;
    throw verifyErrors.make("LOG_TIME_UNSIGNED", `the log entry states the time ${integratedTime} without a signature`);
  }
  if (integratedTime === undefined || integratedTime === 0) {
    throw verifyErrors.make("LOG_PROMISE_INVALID", "a signed entry timestamp needs an integrated time");
  }
  const message = signedEntryTimestampMessage({ ...entry, integratedTime });
  if (!verify(log.key.hash ?? null, message, log.key.key, signedEntryTimestamp)) {
    throw verifyErrors.make("LOG_PROMISE_INVALID", "the signed entry timestamp does not verify with the log's key");
  }
  const at = integratedTime * 1000;
  if (!within(log.window, at)) {
    throw verifyErrors.make("LOG_KEY_OUTSIDE_WINDOW", `the log key was not trusted at ${new Date(at).toISOString()}`);
  }
  return new Date(at);
}

/** Refuses an entry that records anything else than what the bundle signs. */
function checkRecord(entry: TransparencyLogEntry, content: SignedContent): void {
  const hashed = entry.kind === "hashedrekord";
  if (hashed && content.key.family === "ed25519") {
    throw verifyErrors.make("LOG_ED25519_REFUSED", "a hashedrekord entry cannot record a pure Ed25519 signature");
  }
  const canonical = hashed && entry.version === "0.0.2" ? canonicalBody(content) : undefined;
  if (canonical !== undefined && equalBytes(canonical, entry.canonicalizedBody)) return;
  const record = parseLogEntryBody(entry.kind, entry.version, entry.canonicalizedBody);
  checkSignature(record, content);
  checkDigest(record, content);
  if (record.keyDetails !== undefined && record.keyDetails !== content.key.details) {
    throw verifyErrors.make(
      "LOG_ENTRY_KIND_MISMATCH",
      `expected an entry for keys of ${content.key.details}, found ${JSON.stringify(record.keyDetails.slice(0, 60))}`,
    );
  }
  if (canonical !== undefined) {
    throw verifyErrors.make("LOG_ENTRY_NOT_CANONICAL", "the log entry is not spelled in its one canonical way");
  }
}

function canonicalBody({ digest, signature, signer, key }: SignedContent): Uint8Array {
  return hashedRekordBody({
    digest: digest as Uint8Array,
    digestAlgorithm: key.hashSpelling as HashAlgorithmName,
    signature,
    keyDetails: key.details,
    ...(signer.kind === "certificate" ? { certificate: signer.der } : { publicKey: signer.der }),
  });
}

function checkSignature(record: LoggedRecord, content: SignedContent): void {
  const [logged, ...more] = record.signatures;
  if (logged === undefined || more.length > 0 || !equalBytes(logged.signature, content.signature)) {
    throw verifyErrors.make(
      "LOG_ENTRY_SIGNATURE_MISMATCH",
      "the log entry records another signature than the bundle's",
    );
  }
  if (logged.verifier.kind !== content.signer.kind || !equalBytes(logged.verifier.der, content.signer.der)) {
    throw verifyErrors.make("LOG_ENTRY_KEY_MISMATCH", "the log entry names another certificate or key than the bundle");
  }
}

function checkDigest(record: LoggedRecord, content: SignedContent): void {
  const overPayload = record.payloadDigest;
  // The first hashedrekord version was never used for envelopes.
  const fits =
    overPayload === undefined
      ? content.contentKind === "message" || record.version === "0.0.2"
      : content.contentKind === "envelope";
  if (!fits) {
    throw verifyErrors.make(
      "LOG_ENTRY_KIND_MISMATCH",
      `an entry of ${record.kind} ${record.version} does not record a signature over a ${content.contentKind}`,
    );
  }
  const logged = overPayload ?? record.digest;
  const expected =
    overPayload !== undefined
      ? content.payloadDigest(overPayload.algorithm)
      : logged?.algorithm === content.key.hash
        ? content.digest
        : undefined;
  if (logged === undefined || expected === undefined || !equalBytes(expected, logged.value)) {
    throw verifyErrors.make("LOG_ENTRY_DIGEST_MISMATCH", "the log entry records another content than the bundle");
  }
}

/** The times that logs signed themselves, for those who allow them. */
export function logTimes(entries: readonly VerifiedLogEntry[]): VerifiedTime[] {
  return entries.flatMap(({ integratedTime, operator }) =>
    integratedTime === undefined ? [] : [{ at: integratedTime, source: "log", operator }],
  );
}
