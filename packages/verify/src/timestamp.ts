import { hash } from "node:crypto";
import { equalBytes } from "@touchmark/core";
import {
  type Certificate,
  extensionOid,
  parseCertificate,
  parseTimestampResponse,
  type TimestampToken,
  usageOid,
} from "@touchmark/formats/evidence";
import {
  checkAuthority,
  checkCriticalExtensions,
  checkSignedBy,
  issues,
  type KeyedCertificate,
  type TrustedChain,
  validAt,
  within,
} from "./certificate-path.ts";
import { caught, verifyErrors } from "./errors.ts";
import { isHashName, readCertificateKey, verifyNamed } from "./public-key.ts";

/** A time that someone trusted vouches for. */
export interface VerifiedTime {
  readonly at: Date;
  /** A time-stamp authority, or the log's own clock. */
  readonly source: "timestamp" | "log";
  /** Whom thresholds count. */
  readonly operator: string;
}

/**
 * Verifies an RFC 3161 response over the bytes of a signature.
 * @throws TIMESTAMP_* | ALGORITHM_REFUSED; TIMESTAMP_AUTHORITY_UNKNOWN when no trusted authority could have made it
 */
export function verifyTimestamp(
  response: Uint8Array,
  message: Uint8Array,
  chains: readonly TrustedChain[],
): VerifiedTime {
  const { status, token } = parseTimestampResponse(response);
  if ((status !== 0 && status !== 1) || token === undefined) {
    throw verifyErrors.make("TIMESTAMP_NOT_GRANTED", `expected a granted time-stamp, found status ${status}`);
  }
  checkImprint(token, message);
  const bag = token.certificates.map(parseCertificate);
  let reason: Error | undefined;
  for (const chain of chains) {
    const found = findSigner(token, bag, chain);
    if (found === undefined) continue;
    try {
      checkToken(token, bag, found, chain);
      return { at: new Date(token.statement.time), source: "timestamp", operator: chain.operator };
    } catch (error) {
      reason ??= caught(error);
    }
  }
  throw reason ?? verifyErrors.make("TIMESTAMP_AUTHORITY_UNKNOWN", "expected a time-stamp of a trusted authority");
}

function checkImprint(token: TimestampToken, message: Uint8Array): void {
  const { imprintAlgorithm, imprint } = token.statement;
  if (!isHashName(imprintAlgorithm) || !isHashName(token.digestAlgorithm)) {
    throw verifyErrors.make(
      "TIMESTAMP_ALGORITHM_WEAK",
      `expected SHA-2 imprint and digest, found ${imprintAlgorithm} and ${token.digestAlgorithm}`,
    );
  }
  if (!equalBytes(hash(imprintAlgorithm, message, "buffer"), imprint)) {
    throw verifyErrors.make("TIMESTAMP_IMPRINT_MISMATCH", "the time-stamp is not over the signature of this bundle");
  }
}

interface Signer {
  readonly signer: KeyedCertificate;
  readonly authorities: readonly KeyedCertificate[];
}

/** The signer that the token names: the leaf of a trusted chain, or one from the bag that such a chain issued. */
function findSigner(token: TimestampToken, bag: readonly Certificate[], chain: TrustedChain): Signer | undefined {
  const [lowest, ...above] = chain.authorities as [KeyedCertificate, ...KeyedCertificate[]];
  if (isSigner(token, lowest.certificate)) return { signer: lowest, authorities: above };
  for (const certificate of bag) {
    if (!isSigner(token, certificate)) continue;
    const at = chain.authorities.findIndex(
      (each) => each.certificate.isAuthority && issues(each.certificate, certificate),
    );
    if (at < 0) continue;
    const signer = { certificate, key: readCertificateKey(certificate) };
    return { signer, authorities: chain.authorities.slice(at) };
  }
  return undefined;
}

function isSigner({ signer }: TimestampToken, certificate: Certificate): boolean {
  if (signer.kind === "keyIdentifier") {
    return (
      certificate.subjectKeyIdentifier !== undefined && equalBytes(signer.identifier, certificate.subjectKeyIdentifier)
    );
  }
  return equalBytes(signer.issuer, certificate.issuer) && equalBytes(signer.serialNumber, certificate.serialNumber);
}

function checkToken(
  token: TimestampToken,
  bag: readonly Certificate[],
  { signer, authorities }: Signer,
  chain: TrustedChain,
): void {
  const { certificate } = signer;
  checkNamedCertificate(token, bag, certificate);
  if (!chain.authorities.includes(signer)) checkSignedBy(certificate, authorities[0] as KeyedCertificate);
  checkUsage(certificate);
  checkCriticalExtensions(certificate);
  for (const [depth, authority] of authorities.entries()) {
    checkAuthority(authority.certificate, depth, [usageOid.timeStamping]);
  }
  const digest = hash(token.digestAlgorithm, token.content, "buffer");
  if (
    !equalBytes(digest, token.messageDigest) ||
    !verifyNamed(signer.key, token.signatureAlgorithm, token.signedAttributes, token.signature, token.digestAlgorithm)
  ) {
    throw verifyErrors.make("TIMESTAMP_SIGNATURE_INVALID", "the time-stamp does not verify with its authority's key");
  }
  const { time } = token.statement;
  const valid = [signer, ...authorities].every((each) => validAt(each.certificate, time));
  if (!valid || !within(chain.window, time)) {
    throw verifyErrors.make(
      "TIMESTAMP_OUTSIDE_VALIDITY",
      `the time-stamp's authority was not valid, or not trusted, at ${new Date(time).toISOString()}`,
    );
  }
}

/** The certificate that signed must be the one that the token names by hash, and be in the bag if there is one. */
function checkNamedCertificate(token: TimestampToken, bag: readonly Certificate[], signer: Certificate): void {
  const named =
    token.signingCertificates.length > 0 &&
    token.signingCertificates.every(
      ({ algorithm, hash: expected }) =>
        (isHashName(algorithm) || algorithm === "sha1") && equalBytes(hash(algorithm, signer.der, "buffer"), expected),
    );
  const inBag = bag.length === 0 || bag.some((each) => equalBytes(each.der, signer.der));
  const impostor = bag.some((each) => isSigner(token, each) && !equalBytes(each.der, signer.der));
  if (!named || !inBag || impostor) {
    throw verifyErrors.make(
      "TIMESTAMP_CERTIFICATE_MISMATCH",
      "the certificates in and named by the time-stamp are not those of the key that signed it",
    );
  }
}

/** RFC 3161 §2.3: time stamping alone, and critical. */
function checkUsage(certificate: Certificate): void {
  const usages = certificate.extendedKeyUsage;
  if (usages === undefined) {
    throw verifyErrors.make("TIMESTAMP_USAGE_MISSING", "expected the extended key usage time stamping, found none");
  }
  const critical = certificate.extensions.some((each) => each.oid === extensionOid.extendedKeyUsage && each.critical);
  if (usages.length !== 1 || usages[0] !== usageOid.timeStamping || !critical || certificate.isAuthority) {
    throw verifyErrors.make(
      "TIMESTAMP_USAGE_REFUSED",
      `expected time stamping alone and critical, found ${usages.join(", ")}`,
    );
  }
}
