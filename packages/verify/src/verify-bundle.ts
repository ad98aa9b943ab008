import { createHash, hash } from "node:crypto";
import { digestHex, FactoryError, isFactoryError, sha256, systemClock } from "@touchmark/core";
import {
  type Bundle,
  type Certificate,
  isSelfIssued,
  PAYLOAD_TYPE,
  parseBundle,
  parseCertificate,
  parseStatement,
  preAuthPrefix,
  type Statement,
} from "@touchmark/formats/evidence";
import { checkCertificateTimestamps } from "./certificate-log.ts";
import { type CertificatePath, checkPathAt, findPaths, within } from "./certificate-path.ts";
import { caught, verifyErrors } from "./errors.ts";
import {
  artifactBytes,
  artifactDigest,
  type Expectations,
  type PreparedExpectations,
  prepareExpectations,
} from "./expectation.ts";
import { type CertificateIdentity, checkIdentity, readIdentity } from "./identity.ts";
import { readCertificateKey, type VerificationKey, verifyContent } from "./public-key.ts";
import { type VerifiedTime, verifyTimestamp } from "./timestamp.ts";
import { logTimes, type SignedContent, type VerifiedLogEntry, verifyLogEntries } from "./transparency.ts";
import { isTrustRoot, type LogAuthority, type TrustRoot } from "./trust-root.ts";
import {
  mint,
  type VerifiedFacts,
  type VerifiedSignature,
  type VerifiedSigner,
  type VerifiedStatement,
} from "./verified.ts";

/**
 * Verifies a bundle that holds a statement. Offline, from the given bytes alone.
 *
 * Every defect of the bundle, however malformed, is an error of the nature `refused`; unusable expectations or trust
 * roots are `invalid`. An exception is the only way to say no: the return value is proof.
 * @throws any code of verifyErrors, and of the formats that bundles are made of
 */
export function verifyBundle(
  bundle: Uint8Array,
  trustRoot: TrustRoot,
  expectations: Expectations | PreparedExpectations,
): VerifiedStatement {
  const verified = verifyEvidence(bundle, trustRoot, expectations);
  if (verified.kind === "statement") return verified;
  throw verifyErrors.make("CONTENT_NOT_A_STATEMENT", "expected a statement about the artifact, found a bare signature");
}

/** As `verifyBundle`, and takes signatures over an artifact's own bytes as well. */
export function verifyEvidence(
  bundle: Uint8Array,
  trustRoot: TrustRoot,
  expectations: Expectations | PreparedExpectations,
): VerifiedStatement | VerifiedSignature {
  const expected = prepareExpectations(expectations);
  if (!isTrustRoot(trustRoot)) {
    throw verifyErrors.make("EXPECTATION_INVALID", "expected a trust root that readTrustRoot made");
  }
  try {
    return verifyParsed(parseBundle(bundle), bundle, trustRoot, expected);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Whatever goes wrong with evidence is a refusal; only this package's own complaints about the caller stay as they are. */
function asRefusal(error: unknown): FactoryError {
  if (isFactoryError(error)) {
    if (error.nature === "refused" || Object.hasOwn(verifyErrors.rows, error.code)) return error;
    const row = { nature: "refused", meaning: error.message } as const;
    return new FactoryError(error.code, row, error.message, { cause: error, ...(error.hint && { hint: error.hint }) });
  }
  const why = error instanceof Error ? error.message : String(error);
  return verifyErrors.make("EVIDENCE_UNREADABLE", `the evidence cannot be read: ${why}`, { cause: error });
}

function verifyParsed(
  bundle: Bundle,
  bytes: Uint8Array,
  root: TrustRoot,
  expected: PreparedExpectations,
): VerifiedStatement | VerifiedSignature {
  const signer = readSigner(bundle, root, expected);
  const content = verifySignature(bundle, signer, expected);
  const stamps = verifyTimestamps(bundle, content.signature, root);
  const now = expected.now ?? systemClock.now();
  const { entries, windows } = verifyLogEntries(bundle.logEntries, content, root.logs, {
    threshold: expected.logThreshold,
    witnesses: expected.witnesses,
    now,
  });
  const times = countTimes(stamps, entries, expected);
  checkTimes(signer, times, entries, windows);
  const artifact = artifactDigest(expected.artifact);
  const facts: VerifiedFacts = {
    bundle: sha256(bytes),
    bundleVersion: bundle.version,
    trustRoot: root.digest,
    artifact,
    signer: describeSigner(signer, expected),
    times,
    logEntries: entries,
    notChecked: notChecked(bundle, root, expected),
  };
  if (bundle.content.kind === "message") {
    if (expected.predicateType !== undefined) {
      throw verifyErrors.make("CONTENT_NOT_A_STATEMENT", "expected a statement, found a signature over an artifact");
    }
    return mint<VerifiedSignature>({ ...facts, kind: "signature" });
  }
  const statement = parseStatement(bundle.content.payload);
  checkStatement(statement, expected.predicateType, artifact && digestHex(artifact));
  return mint<VerifiedStatement>({ ...facts, kind: "statement", statement, payload: sha256(bundle.content.payload) });
}

/** The bundle's claim of who signed, with all that can be checked before any time is known. */
type Signer =
  | {
      readonly kind: "certificate";
      readonly key: VerificationKey;
      readonly der: Uint8Array;
      readonly certificate: Certificate;
      readonly paths: readonly CertificatePath[];
      readonly identity: CertificateIdentity;
    }
  | {
      readonly kind: "publicKey";
      readonly key: VerificationKey;
      readonly der: Uint8Array;
      readonly hint: string;
      readonly from: number;
      readonly until: number;
    };

function readSigner(bundle: Bundle, root: TrustRoot, { signer: expected }: PreparedExpectations): Signer {
  const material = bundle.keyMaterial;
  if (expected.kind === "key") {
    if (material.kind === "certificate") {
      throw verifyErrors.make("CERTIFICATE_UNEXPECTED", "expected a signature of the given key, found a certificate");
    }
    if (expected.hint !== undefined && material.hint !== expected.hint) {
      throw verifyErrors.make(
        "KEY_HINT_MISMATCH",
        `expected the key hint ${JSON.stringify(expected.hint)}, found ${JSON.stringify(material.hint.slice(0, 200))}`,
      );
    }
    const { key, from, until } = expected;
    return { kind: "publicKey", key, der: key.der, hint: material.hint, from, until };
  }
  if (material.kind === "publicKey") {
    throw verifyErrors.make("KEY_UNEXPECTED", "expected a certificate with the signer's identity, found a bare key");
  }
  const certificate = parseCertificate(material.certificate);
  const others = material.others.map(parseCertificate);
  if (others.some(isSelfIssued)) {
    throw verifyErrors.make("CERTIFICATE_ROOT_IN_BUNDLE", "a bundle must not bring a self-signed root certificate");
  }
  const key = readCertificateKey(certificate);
  const paths = findPaths(certificate, others, root.signingChains, "signing");
  for (const path of paths) checkCertificateTimestamps(path, root.certificateLogs);
  const identity = readIdentity(certificate);
  checkIdentity(identity, expected);
  return { kind: "certificate", key, der: material.certificate, certificate, paths, identity };
}

function verifySignature(bundle: Bundle, signer: Signer, expected: PreparedExpectations): SignedContent {
  const { content } = bundle;
  const { key } = signer;
  const common = { signer: { kind: signer.kind, der: signer.der }, key, contentKind: content.kind } as const;
  if (content.kind === "message") {
    const artifact = artifactBytes(expected.artifact);
    // Pure Ed25519 signs the bytes themselves; the digest beside the signature only names them, by SHA-256.
    const digest = hash(key.hash ?? "sha256", artifact, "buffer");
    if (content.digestAlgorithm !== (key.hashSpelling ?? "SHA2_256") || !digest.equals(content.digest)) {
      throw verifyErrors.make("MESSAGE_DIGEST_MISMATCH", "the signature is over another content than the artifact");
    }
    checkSignature(verifyContent(key, [artifact], content.signature));
    return { ...common, signature: content.signature, digest, payloadDigest: () => undefined };
  }
  const [signature, ...more] = content.signatures;
  if (signature === undefined || more.length > 0) {
    throw verifyErrors.make("SIGNATURE_COUNT", `expected exactly one signature, found ${content.signatures.length}`);
  }
  if (content.payloadType !== PAYLOAD_TYPE) {
    throw verifyErrors.make(
      "PAYLOAD_TYPE_UNEXPECTED",
      `expected the payload type ${PAYLOAD_TYPE}, found ${JSON.stringify(content.payloadType.slice(0, 100))}`,
    );
  }
  // An absent key id claims nothing; cosign leaves it out.
  if (signer.kind === "publicKey" && (signature.keyid ?? "") !== "" && signature.keyid !== signer.hint) {
    throw verifyErrors.make("KEY_ID_MISMATCH", "the key id of the signature differs from the bundle's key hint");
  }
  const parts = [preAuthPrefix(content.payloadType, content.payload.length), content.payload];
  checkSignature(verifyContent(key, parts, signature.sig));
  const digest = key.hash && parts.reduce((h, part) => h.update(part), createHash(key.hash)).digest();
  return {
    ...common,
    signature: signature.sig,
    digest,
    payloadDigest: (algorithm) => hash(algorithm, content.payload, "buffer"),
  };
}

function checkSignature(valid: boolean): void {
  if (!valid) throw verifyErrors.make("SIGNATURE_INVALID", "the signature does not verify with the signer's key");
}

/** Stamps of unknown authorities do not count; one that names a trusted authority must hold. */
function verifyTimestamps(
  bundle: Bundle,
  signature: Uint8Array,
  root: TrustRoot,
): { times: VerifiedTime[]; unknown: Error | undefined } {
  const times: VerifiedTime[] = [];
  let unknown: Error | undefined;
  for (const stamp of bundle.timestamps) {
    try {
      times.push(verifyTimestamp(stamp, signature, root.timestampChains));
    } catch (error) {
      if (!isFactoryError(error) || error.code !== "TIMESTAMP_AUTHORITY_UNKNOWN") throw error;
      unknown ??= error;
    }
  }
  return { times, unknown };
}

function countTimes(
  stamps: { readonly times: readonly VerifiedTime[]; readonly unknown: Error | undefined },
  entries: readonly VerifiedLogEntry[],
  expected: PreparedExpectations,
): VerifiedTime[] {
  const times = expected.allowLogTime ? [...stamps.times, ...logTimes(entries)] : [...stamps.times];
  if (times.length === 0) {
    if (stamps.unknown !== undefined) throw stamps.unknown;
    throw verifyErrors.make("TIMESTAMP_MISSING", "expected a trusted time of the signature, found none");
  }
  const operators = new Set(times.map((time) => time.operator));
  if (operators.size < expected.timestampThreshold) {
    throw verifyErrors.make(
      "TIMESTAMP_THRESHOLD",
      `expected the time from ${expected.timestampThreshold} operators, found ${[...operators].join(", ")}`,
    );
  }
  return times.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Every time that counts must lie in every validity: certificate or key, authorities, log keys. */
function checkTimes(
  signer: Signer,
  times: readonly VerifiedTime[],
  entries: readonly VerifiedLogEntry[],
  logs: readonly LogAuthority[],
): void {
  const moments = times.map((time) => time.at.getTime());
  checkSignerAt(signer, moments);
  for (const { integratedTime } of entries) {
    if (integratedTime === undefined) continue;
    try {
      checkSignerAt(signer, [integratedTime.getTime()]);
    } catch (cause) {
      throw verifyErrors.make(
        "LOG_TIME_OUTSIDE_VALIDITY",
        `the log recorded the signature at ${integratedTime.toISOString()}, when the signer was not valid`,
        { cause },
      );
    }
  }
  for (const log of logs) {
    const outside = moments.find((at) => !within(log.window, at));
    if (outside !== undefined) {
      throw verifyErrors.make(
        "LOG_KEY_OUTSIDE_WINDOW",
        `the trusted root does not trust the key of ${log.origin} at ${new Date(outside).toISOString()}`,
      );
    }
  }
}

function checkSignerAt(signer: Signer, moments: readonly number[]): void {
  if (signer.kind === "publicKey") {
    const outside = moments.find((at) => at < signer.from || at > signer.until);
    if (outside === undefined) return;
    throw verifyErrors.make("KEY_OUTSIDE_WINDOW", `the key is not valid at ${new Date(outside).toISOString()}`);
  }
  let reason: Error | undefined;
  for (const path of signer.paths) {
    try {
      for (const at of moments) checkPathAt(path, at);
      return;
    } catch (error) {
      reason ??= caught(error);
    }
  }
  throw reason ?? verifyErrors.make("CERTIFICATE_NO_PATH", "no trusted authority issued the certificate");
}

function checkStatement(statement: Statement, predicateType: string | undefined, sha256Hex: string | undefined): void {
  if (predicateType !== undefined && statement.predicateType !== predicateType) {
    throw verifyErrors.make(
      "PREDICATE_TYPE_MISMATCH",
      `expected the predicate type ${predicateType}, found ${JSON.stringify(statement.predicateType.slice(0, 200))}`,
    );
  }
  if (sha256Hex === undefined) return;
  if (statement.subject.some(({ digest }) => digest["sha256"] === sha256Hex)) return;
  if (!statement.subject.some(({ digest }) => Object.hasOwn(digest, "sha256"))) {
    throw verifyErrors.make(
      "SUBJECT_DIGEST_WEAK",
      "expected a SHA-256 digest of a subject, found other algorithms only",
    );
  }
  throw verifyErrors.make("SUBJECT_MISMATCH", `no subject of the statement has the digest sha256:${sha256Hex}`);
}

function describeSigner(signer: Signer, expected: PreparedExpectations): VerifiedSigner {
  if (signer.kind === "publicKey") return { kind: "key", hint: signer.hint, key: sha256(signer.der) };
  if (expected.signer.kind !== "identity") throw new TypeError("a certificate is judged by an identity");
  const { certificate, identity } = signer;
  return {
    kind: "certificate",
    ...identity,
    certificate: sha256(certificate.der),
    notBefore: new Date(certificate.notBefore),
    notAfter: new Date(certificate.notAfter),
  };
}

function notChecked(bundle: Bundle, root: TrustRoot, expected: PreparedExpectations): string[] {
  const open: string[] = [];
  if (expected.artifact === "unbound") open.push("which artifact the statement speaks of");
  if (expected.predicateType === undefined && bundle.content.kind === "envelope") open.push("the predicate type");
  if (bundle.content.kind === "envelope") open.push("what the predicate says");
  if (expected.witnesses === undefined) open.push("whether witnesses saw the same log");
  if (expected.signer.kind === "identity" && root.certificateLogs.length === 0) {
    open.push("whether the certificate was logged: the trusted root lists no certificate log");
  }
  if (expected.signer.kind === "key" && !Number.isFinite(expected.signer.until)) open.push("when the key expires");
  open.push("whether anything was revoked since");
  return open;
}
