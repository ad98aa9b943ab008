import type { Digest } from "@touchmark/core";
import type { Analysis } from "@touchmark/formats/predicates";
import { chainErrors } from "./chain-errors.ts";
import { type ChainStatement, isOf, subjectDigest } from "./chain-statements.ts";
import type { VerifiedStatement } from "./verified.ts";

/**
 * Documents of the field that are signed as they are, and have no place for the chain: SBOMs and lists of
 * vulnerabilities. They count where the factory's own statement names them by digest.
 */
const documentTypes = {
  sbom: "https://cyclonedx.org/bom",
  vulnerabilities: "https://in-toto.io/attestation/vulns/v0.2",
} as const;

/** True for a statement that is such a document. */
export function isDocument({ statement }: VerifiedStatement): boolean {
  return (Object.values(documentTypes) as readonly string[]).includes(statement.predicateType);
}

/** What a chain says an artifact consists of. */
export type VerifiedAnalysis = Pick<Analysis, "artifact" | "digest" | "sbom" | "vulnerabilities" | "licences" | "gate">;

/**
 * The analyses of a release: each is of one of its artifacts, and names documents about the same bytes that the builder
 * signed; every document is named by one, and none refuses what was released. SPEC V21. @throws CHAIN_ANALYSIS_MISMATCH | CHAIN_SIGNER_UNEXPECTED
 */
export function checkAnalyses(
  chain: readonly ChainStatement[],
  documents: ReadonlyMap<Digest, VerifiedStatement>,
  release: ChainStatement<"release">,
  signer: { readonly builder: string; readonly issuer: string },
): readonly VerifiedAnalysis[] {
  const analyses = chain.filter(isOf("analysis")).filter((each) => each.run === release.run);
  const named = new Set<Digest>();
  const analysed = new Set<string>();
  for (const statement of analyses) {
    const { artifact, digest, sbom, vulnerabilities, licences, gate } = statement.predicate;
    const mismatch = (why: string) => chainErrors.make("CHAIN_ANALYSIS_MISMATCH", `the analysis of ${artifact} ${why}`);
    const row = release.predicate.artifacts.find((each) => each.name === artifact && each.digest === digest);
    if (row === undefined || subjectDigest(statement) !== digest) throw mismatch("is of no artifact of the release");
    if (analysed.has(artifact)) throw mismatch("stands beside another one");
    analysed.add(artifact);
    if (gate.verdict === "refused") throw mismatch("refuses what was released");
    const parts = [
      { bundle: sbom.bundle, type: documentTypes.sbom },
      ...(vulnerabilities.bundle === undefined
        ? []
        : [{ bundle: vulnerabilities.bundle, type: documentTypes.vulnerabilities }]),
    ];
    for (const { bundle, type } of parts) {
      const document = documents.get(bundle);
      if (document === undefined) throw mismatch(`names ${bundle}, which is not in the release`);
      checkDocument(document, type, digest, signer, mismatch);
      named.add(bundle);
    }
    const own = chain.filter(isOf("licences")).find((each) => each.digest === licences.bundle);
    if (own === undefined || own.run !== release.run || subjectDigest(own) !== digest) {
      throw mismatch("names licences that are of something else");
    }
  }
  const stray = [...documents.keys()].find((digest) => !named.has(digest));
  if (stray !== undefined) {
    throw chainErrors.make("CHAIN_ANALYSIS_MISMATCH", `the document ${stray} is named by no analysis of the release`);
  }
  return analyses.map(({ predicate: { artifact, digest, sbom, vulnerabilities, licences, gate } }) => ({
    ...{ artifact, digest, sbom, vulnerabilities, licences, gate },
  }));
}

function checkDocument(
  { statement, signer }: VerifiedStatement,
  type: string,
  digest: Digest,
  expected: { readonly builder: string; readonly issuer: string },
  mismatch: (why: string) => Error,
): void {
  if (statement.predicateType !== type) throw mismatch(`names a document of ${statement.predicateType}`);
  const [subject, ...more] = statement.subject;
  if (more.length > 0 || `sha256:${subject?.digest["sha256"]}` !== digest)
    throw mismatch("names a document about other bytes");
  if (signer.kind !== "certificate" || signer.identity !== expected.builder || signer.issuer !== expected.issuer) {
    const found = signer.kind === "certificate" ? `${signer.identity} of ${signer.issuer}` : "a bare key";
    throw chainErrors.make("CHAIN_SIGNER_UNEXPECTED", `expected ${expected.builder} to sign ${type}, found ${found}`);
  }
}
