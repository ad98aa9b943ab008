import { equalBytes } from "@touchmark/core";
import {
  type Certificate,
  extensionOid,
  isSelfIssued,
  keyUsageBit,
  serialText,
  usageOid,
} from "@touchmark/formats/evidence";
import { caught, verifyErrors } from "./errors.ts";
import { checkNameConstraints } from "./name-constraint.ts";
import { readCertificateKey, type VerificationKey, verifyNamed } from "./public-key.ts";
import { Recent } from "./recent.ts";

/** A certificate together with its key. */
export interface KeyedCertificate {
  readonly certificate: Certificate;
  readonly key: VerificationKey;
}

/** A closed interval in milliseconds; the end may be open. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** A chain of the trusted root: lowest first, each signed by the next (checked when the root was read). */
export interface TrustedChain {
  readonly authorities: readonly KeyedCertificate[];
  readonly window: Window;
  readonly operator: string;
}

/** A path from a certificate to a trusted anchor. */
export interface CertificatePath {
  readonly leaf: Certificate;
  /** Issuer of the leaf first, anchor last. */
  readonly authorities: readonly KeyedCertificate[];
  readonly chain: TrustedChain;
}

/** What a leaf is used for. */
export type LeafUsage = "signing" | "authentication";

/** Most certificates of a bundle that a path may use between the leaf and the trusted root. */
const MAX_INTERMEDIATES = 4;

/**
 * Finds every path from a certificate to the trusted chains and checks all of it but the time (RFC 5280 §6.1).
 * @throws CERTIFICATE_* | AUTHORITY_* | ALGORITHM_REFUSED: the reason that the first candidate fails for
 */
export function findPaths(
  leaf: Certificate,
  others: readonly Certificate[],
  chains: readonly TrustedChain[],
  usage: LeafUsage,
): CertificatePath[] {
  checkLeaf(leaf, usage);
  let reason: Error | undefined;
  const paths: CertificatePath[] = [];
  for (const candidate of candidates(leaf, others, chains, [])) {
    try {
      checkPath(candidate, usage);
      paths.push(candidate);
    } catch (error) {
      reason ??= caught(error);
    }
  }
  if (paths.length > 0) return paths;
  throw (
    reason ??
    verifyErrors.make(
      "CERTIFICATE_NO_PATH",
      `expected an issuer that the trusted root lists, found another for certificate ${serialText(leaf)}`,
    )
  );
}

function* candidates(
  leaf: Certificate,
  others: readonly Certificate[],
  chains: readonly TrustedChain[],
  between: readonly KeyedCertificate[],
): Generator<CertificatePath> {
  const lowest = between[between.length - 1]?.certificate ?? leaf;
  for (const chain of chains) {
    const at = chain.authorities.findIndex((each) => issues(each.certificate, lowest));
    if (at >= 0) yield { leaf, authorities: [...between, ...chain.authorities.slice(at)], chain };
  }
  if (between.length === MAX_INTERMEDIATES) return;
  for (const other of others) {
    if (!issues(other, lowest) || between.some((each) => each.certificate === other)) continue;
    yield* candidates(leaf, others, chains, [...between, { certificate: other, key: readCertificateKey(other) }]);
  }
}

/** True when the names, and the key identifiers where both are there, say that `authority` issued `certificate`. */
export function issues(authority: Certificate, certificate: Certificate): boolean {
  const wanted = certificate.authorityKeyIdentifier;
  const has = authority.subjectKeyIdentifier;
  return (
    equalBytes(authority.subject, certificate.issuer) &&
    (wanted === undefined || has === undefined || equalBytes(wanted, has))
  );
}

/** Extensions whose meaning is checked here; any other that is critical refuses the certificate. */
const processed: ReadonlySet<string> = new Set([
  extensionOid.basicConstraints,
  extensionOid.keyUsage,
  extensionOid.extendedKeyUsage,
  extensionOid.subjectAltName,
  extensionOid.nameConstraints,
]);

/** Refuses critical extensions that nothing here processes (RFC 5280 §4.2). @throws CERTIFICATE_CRITICAL_EXTENSION */
export function checkCriticalExtensions(certificate: Certificate): void {
  for (const { oid, critical } of certificate.extensions) {
    if (critical && !processed.has(oid)) {
      throw verifyErrors.make(
        "CERTIFICATE_CRITICAL_EXTENSION",
        `the critical extension ${oid} of certificate ${serialText(certificate)} is not understood`,
      );
    }
  }
}

function checkLeaf(leaf: Certificate, usage: LeafUsage): void {
  checkCriticalExtensions(leaf);
  if (leaf.isAuthority || leaf.keyUsage?.has(keyUsageBit.keyCertSign)) {
    throw verifyErrors.make("CERTIFICATE_IS_AUTHORITY", "expected an end-entity certificate, found an authority's");
  }
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.has(keyUsageBit.digitalSignature)) {
    throw verifyErrors.make("CERTIFICATE_KEY_USAGE", "expected the key usage digital signature");
  }
  const usages = leaf.extendedKeyUsage;
  if (usages === undefined) {
    throw verifyErrors.make("CERTIFICATE_USAGE_MISSING", `expected an extended key usage for ${usage}, found none`);
  }
  const authenticates = usages.includes(usageOid.clientAuth) || usages.includes(usageOid.serverAuth);
  const signs = usages.includes(usageOid.codeSigning);
  if (usage === "signing" && !signs) {
    throw authenticates
      ? verifyErrors.make(
          "CERTIFICATE_USAGE_AUTHENTICATION",
          "expected a signing certificate, found one to authenticate",
        )
      : verifyErrors.make("CERTIFICATE_USAGE_NOT_SIGNING", `expected code signing, found ${usages.join(", ")}`);
  }
  if (usage === "authentication" && (signs || !authenticates)) {
    throw verifyErrors.make("CERTIFICATE_USAGE_SIGNING", "expected a certificate to authenticate, found another");
  }
}

const usagesOf: Readonly<Record<LeafUsage, readonly string[]>> = {
  signing: [usageOid.codeSigning],
  authentication: [usageOid.clientAuth, usageOid.serverAuth],
};

function checkPath({ leaf, authorities, chain }: CertificatePath, usage: LeafUsage): void {
  let below: Certificate = leaf;
  for (const [depth, authority] of authorities.entries()) {
    checkAuthority(authority.certificate, depth, usagesOf[usage]);
    // Links within the trusted root were verified when it was read.
    if (!chain.authorities.some((each) => each.certificate === below)) checkSignedBy(below, authority);
    below = authority.certificate;
  }
  const certificates = authorities.map((each) => each.certificate);
  checkNameConstraints(leaf, certificates);
  for (const [depth, certificate] of certificates.entries()) {
    if (!isSelfIssued(certificate)) checkNameConstraints(certificate, certificates.slice(depth + 1));
  }
}

/** The statements of one step are signed by one leaf, so its issuance is not verified for each of them again. */
const issued = new Recent<KeyedCertificate, true>(64);

/** @throws CERTIFICATE_SIGNATURE_INVALID | ALGORITHM_REFUSED */
export function checkSignedBy(certificate: Certificate, authority: KeyedCertificate): void {
  issued.get(authority, Buffer.from(certificate.der).toString("latin1"), () => verifySignedBy(certificate, authority));
}

function verifySignedBy(certificate: Certificate, authority: KeyedCertificate): true {
  const { signatureAlgorithm, toBeSigned, signature } = certificate;
  if (!verifyNamed(authority.key, signatureAlgorithm.oid, toBeSigned, signature)) {
    throw verifyErrors.make(
      "CERTIFICATE_SIGNATURE_INVALID",
      `certificate ${serialText(certificate)} is not signed by the key of the issuer it names`,
    );
  }
  return true;
}

/** Checks that a certificate may issue what lies `depth` authorities above a leaf of one of the usages. */
export function checkAuthority(authority: Certificate, depth: number, usages: readonly string[]): void {
  checkCriticalExtensions(authority);
  if (!authority.isAuthority || authority.keyUsage?.has(keyUsageBit.keyCertSign) === false) {
    throw verifyErrors.make(
      "AUTHORITY_NOT_CERTIFYING",
      `certificate ${serialText(authority)} may not sign certificates`,
    );
  }
  if (authority.pathLength !== undefined && depth > authority.pathLength) {
    throw verifyErrors.make(
      "CERTIFICATE_PATH_LENGTH",
      `expected at most ${authority.pathLength} authorities below certificate ${serialText(authority)}, found ${depth}`,
    );
  }
  const allowed = authority.extendedKeyUsage;
  if (allowed !== undefined && !allowed.includes(usageOid.any) && !usages.some((usage) => allowed.includes(usage))) {
    throw verifyErrors.make("AUTHORITY_USAGE", `certificate ${serialText(authority)} is for ${allowed.join(", ")}`);
  }
}

/** True when the certificate was valid at the time, both ends included. */
export function validAt(certificate: Certificate, at: number): boolean {
  return at >= certificate.notBefore && at <= certificate.notAfter;
}

/** True when the window includes the time. */
export function within(window: Window, at: number): boolean {
  return at >= window.start && at <= window.end;
}

/**
 * Checks that at one moment the leaf, every authority above it and the trusted root's window for them were all valid.
 * @throws CERTIFICATE_OUTSIDE_VALIDITY | AUTHORITY_OUTSIDE_VALIDITY
 */
export function checkPathAt(path: CertificatePath, at: number): void {
  const time = new Date(at).toISOString();
  if (!validAt(path.leaf, at)) {
    throw verifyErrors.make(
      "CERTIFICATE_OUTSIDE_VALIDITY",
      `expected a signature from ${new Date(path.leaf.notBefore).toISOString()} to ${new Date(path.leaf.notAfter).toISOString()}, found one of ${time}`,
    );
  }
  const expired = path.authorities.find((each) => !validAt(each.certificate, at));
  if (expired !== undefined) {
    throw verifyErrors.make(
      "AUTHORITY_OUTSIDE_VALIDITY",
      `the authority ${serialText(expired.certificate)} was not valid at ${time}`,
    );
  }
  if (!within(path.chain.window, at)) {
    throw verifyErrors.make("AUTHORITY_OUTSIDE_VALIDITY", `the trusted root does not trust the authority at ${time}`);
  }
}
