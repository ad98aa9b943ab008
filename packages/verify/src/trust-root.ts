import { type Digest, encodeHex, isFactoryError, sha256 } from "@touchmark/core";
import {
  type NoteVerifier,
  noteVerifier,
  parseCertificate,
  parseTrustedRoot,
  type TimeRange,
  type TrustedAuthority,
  type TrustedLog,
} from "@touchmark/formats/evidence";
import { checkSignedBy, type KeyedCertificate, type TrustedChain, type Window } from "./certificate-path.ts";
import { verifyErrors } from "./errors.ts";
import { hostOf, operatorName } from "./operator.ts";
import { readCertificateKey, readNamedKey, type VerificationKey } from "./public-key.ts";

/** A log of the trusted root, with its key ready for use. */
export interface LogAuthority {
  /** Origin line of its checkpoints, which is also the name of its key. */
  readonly origin: string;
  /** Host and port of the URL, by which Rekor v1 names its key where it runs on a port of its own. */
  readonly authority: string;
  readonly key: VerificationKey;
  /** Undefined where the key is of a kind that cannot sign checkpoints here. */
  readonly verifiers: readonly NoteVerifier[];
  readonly logId: Uint8Array;
  readonly window: Window;
  readonly operator: string;
}

/**
 * A trusted root, read once and used for any number of verifications: keys are loaded, chains are verified.
 * Made by `readTrustRoot` alone.
 */
export interface TrustRoot {
  /** Digest of the bytes it was read from: its fingerprint. */
  readonly digest: Digest;
  readonly logs: readonly LogAuthority[];
  readonly signingChains: readonly TrustedChain[];
  readonly timestampChains: readonly TrustedChain[];
  readonly certificateLogs: readonly LogAuthority[];
}

const made = new WeakSet<object>();

/** True when `readTrustRoot` made this object. */
export function isTrustRoot(value: unknown): value is TrustRoot {
  return typeof value === "object" && value !== null && made.has(value);
}

/**
 * Reads a trusted root (Sigstore `trusted_root.json`) and checks it whole.
 * @throws TRUSTED_ROOT_* | JSON_* | TRUST_ROOT_INVALID, all of the nature `invalid`
 */
export function readTrustRoot(bytes: Uint8Array): TrustRoot {
  try {
    const root = parseTrustedRoot(bytes);
    const trustRoot: TrustRoot = {
      digest: sha256(bytes),
      logs: root.logs.map(readLog),
      signingChains: root.certificateAuthorities.map(readChain),
      timestampChains: root.timestampAuthorities.map(readChain),
      certificateLogs: root.certificateLogs.map(readLog),
    };
    made.add(trustRoot);
    return trustRoot;
  } catch (cause) {
    if (isFactoryError(cause) && cause.nature === "invalid") throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw verifyErrors.make("TRUST_ROOT_INVALID", `expected a usable trusted root: ${why}`, { cause });
  }
}

function windowOf(range: TimeRange): Window {
  return { start: range.start.getTime(), end: range.end?.getTime() ?? Number.POSITIVE_INFINITY };
}

function readLog(log: TrustedLog): LogAuthority {
  const key = readNamedKey(log.publicKey.der, log.publicKey.keyDetails);
  const origin = hostOf(log.baseUrl);
  const authority = authorityOf(log.baseUrl);
  return {
    origin,
    authority,
    key,
    verifiers: logVerifiers(key, origin, authority),
    logId: log.logId,
    window: windowOf(log.publicKey.validFor),
    operator: operatorName(log.operator, log.baseUrl, `key:${encodeHex(log.logId)}`),
  };
}

function authorityOf(url: string): string {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)/i.exec(url)?.[1]?.toLowerCase() ?? "";
}

function logVerifiers(key: VerificationKey, origin: string, authority: string): NoteVerifier[] {
  if (origin === "") return [];
  if (key.family === "ed25519") return [noteVerifier(origin, "ed25519", key.key)];
  if (key.details !== "PKIX_ECDSA_P256_SHA_256") return [];
  const names = authority === origin || authority === "" ? [origin] : [origin, authority];
  return names.map((name) => noteVerifier(name, "ecdsa-p256", key.key));
}

function readChain(authority: TrustedAuthority): TrustedChain {
  const authorities: KeyedCertificate[] = authority.certificates.map((der) => {
    const certificate = parseCertificate(der);
    return { certificate, key: readCertificateKey(certificate) };
  });
  for (const [index, { certificate }] of authorities.entries()) {
    const issuer = authorities[index + 1];
    if (issuer !== undefined) checkSignedBy(certificate, issuer);
  }
  const anchor = authorities[authorities.length - 1] as KeyedCertificate;
  const operator = operatorName(
    authority.operator,
    authority.uri,
    `key:${sha256(anchor.certificate.publicKey).slice("sha256:".length)}`,
  );
  return { authorities, window: windowOf(authority.validFor), operator };
}
