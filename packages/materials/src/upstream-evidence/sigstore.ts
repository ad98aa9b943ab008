import { isFactoryError } from "@touchmark/core";
import { DerReader, derTag } from "@touchmark/formats/der-reader";
import { type Certificate, parseBundle, parseCertificate, type Statement } from "@touchmark/formats/evidence";
import {
  type Expectations,
  type TrustRoot,
  type VerifiedSignature,
  type VerifiedStatement,
  verifyEvidence,
} from "@touchmark/verify";
import { upstreamErrors } from "./errors.ts";
import type { KindTrust } from "./trust.ts";
import { type SignerRule, signersOf } from "./trust-rules.ts";

/** A bundle that our verifier accepted, by a signer who may vouch for the package. */
export interface Attested {
  readonly verified: VerifiedStatement | VerifiedSignature;
  readonly identity: string;
  readonly issuer: string;
  /** Source repository as the signer's certificate has it. */
  readonly repository: string | undefined;
  /** The rule that named the signer; undefined when none speaks of the package. */
  readonly rule: SignerRule | undefined;
}

/** Source repository URI in certificates of Sigstore's authority (`oid-info.md`). */
const repositoryOid = "1.3.6.1.4.1.57264.1.12";

/**
 * Verifies a bundle with a certificate: by one of the trust roots, and by a signer whom the rules name for the package.
 * Where no rule speaks of it, anybody counts for whom an accepted issuer vouches; the name is in the evidence, and who
 * it was before is for the gate to compare.
 * @throws UPSTREAM_SIGNER_UNEXPECTED | UPSTREAM_REPOSITORY_MISMATCH | what `verifyEvidence` throws
 */
export function verifyAttestation(
  bundle: Uint8Array,
  trust: KindTrust,
  purl: string | undefined,
  artifact: Expectations["artifact"],
  now: Date,
): Attested {
  const certificate = certificateOf(bundle);
  const [identity, ...more] = certificate.subjectAltNames.map(({ text }) => text);
  const issuer = certificate.identityIssuer;
  if (identity === undefined || identity === "" || more.length > 0 || issuer === undefined) {
    throw unexpected("a certificate without one name and an issuer");
  }
  const rule = ruleFor(trust, purl, identity, issuer);
  // The identity was compared with the rules above; here it is only said again, so that nothing is taken on trust.
  const expected: Expectations = { artifact, identity, issuer, allowLogTime: true, now };
  const verified = byAnyRoot(bundle, trust.roots, expected);
  const repository = repositoryOf(certificate);
  if (rule?.repository !== undefined && repository !== undefined && !sameRepository(rule.repository, repository)) {
    throw upstreamErrors.make(
      "UPSTREAM_REPOSITORY_MISMATCH",
      `expected the source repository ${rule.repository}, found ${repository} in the signer's certificate`,
    );
  }
  return { verified, identity, issuer, repository, rule };
}

function certificateOf(bundle: Uint8Array): Certificate {
  const { keyMaterial } = parseBundle(bundle);
  if (keyMaterial.kind !== "certificate") throw unexpected("a bare key");
  return parseCertificate(keyMaterial.certificate);
}

function unexpected(found: string): Error {
  return upstreamErrors.make(
    "UPSTREAM_SIGNER_UNEXPECTED",
    `expected a signer whom the configuration names, found ${found}`,
  );
}

function ruleFor(trust: KindTrust, purl: string | undefined, identity: string, issuer: string): SignerRule | undefined {
  const rules = signersOf(trust.rules, purl).filter((rule) => rule.issuer !== undefined);
  if (rules.length === 0) {
    // A list of signers that leaves this package out is no permission for everybody.
    const { issuers } = trust.rules;
    if (issuers.length > 0 && !issuers.includes(issuer)) throw unexpected(`the issuer ${JSON.stringify(issuer)}`);
    return undefined;
  }
  const rule = rules.find((each) => each.issuer === issuer && matches(each, identity));
  if (rule === undefined) throw unexpected(`${JSON.stringify(identity)} by ${JSON.stringify(issuer)}`);
  return rule;
}

function matches(rule: SignerRule, identity: string): boolean {
  if (rule.identity !== undefined) return rule.identity === identity;
  return rule.identityPattern !== undefined && new RegExp(`^(?:${rule.identityPattern})$`, "u").test(identity);
}

/** The verdict of the first root that accepts; otherwise what the last one said. */
export function byAnyRoot(
  bundle: Uint8Array,
  roots: readonly TrustRoot[],
  expected: Expectations,
): VerifiedStatement | VerifiedSignature {
  let last: Error | undefined;
  for (const root of roots) {
    try {
      return verifyEvidence(bundle, root, expected);
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      last = error;
    }
  }
  throw last ?? unexpected("no trust root to verify with");
}

function repositoryOf(certificate: Certificate): string | undefined {
  const extension = certificate.extensions.find(({ oid }) => oid === repositoryOid);
  return extension === undefined ? undefined : new DerReader(extension.value).text(derTag.utf8String);
}

/** The statement of what was attested. @throws UPSTREAM_PREDICATE_UNEXPECTED for a signature over bare bytes */
export function statementOf({ verified }: Attested): Statement {
  if (verified.kind === "statement") return verified.statement;
  throw upstreamErrors.make("UPSTREAM_PREDICATE_UNEXPECTED", "expected a statement, found a signature over bytes");
}

/** True when two spellings name one repository: `git+` before it, `.git`, `@ref` and a slash after it do not count. */
export function sameRepository(a: string, b: string): boolean {
  return plainRepository(a) === plainRepository(b);
}

/** A repository's address without what clients add to it. */
export function plainRepository(address: string): string {
  return address
    .replace(/^git\+/, "")
    .replace(/@refs\/.*$|@[0-9a-f]{40}$/, "")
    .replace(/\/+$/, "")
    .replace(/\.git$/, "");
}
