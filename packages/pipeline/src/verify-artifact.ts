import { builderId } from "@touchmark/identity";
import { readTrustRoot } from "@touchmark/verify";
import { type ChainExpectations, type VerifiedChain, verifyRun } from "@touchmark/verify/chain";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import { gatherEvidence } from "./gather.ts";
import type { NamedArtifact } from "./lookup.ts";
import { readProject } from "./project-record.ts";

/** What was verified of an artifact of this factory. */
export interface ArtifactVerdict {
  readonly chain: VerifiedChain;
  readonly statements: number;
}

/**
 * Verifies an artifact against this factory's own evidence: found by digest, the whole chain checked, source and
 * pipeline equal to what the user had built under the project's name.
 * @throws EVIDENCE_MISSING and every code of the verifier
 */
export async function verifyArtifact(
  factory: Factory,
  artifact: NamedArtifact,
  demands: Pick<ChainExpectations, "require"> = {},
): Promise<ArtifactVerdict> {
  const { run, bundles, missing } = await gatherEvidence(factory, artifact.digest);
  const [lost] = missing;
  if (lost !== undefined) {
    throw pipelineErrors.make("EVIDENCE_MISSING", `run ${run.id} rests on the bundle ${lost}, which is not stored`);
  }
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { trustDomain, issuer } = factory.names();
  const claimed = (run.details as { source?: { uri?: string } }).source?.uri ?? "";
  const { sources } = readProject(factory, run.project);
  // The record only points to the source; it counts when the user asked for that source before.
  if (!sources.includes(claimed)) {
    throw pipelineErrors.make(
      "PROJECT_SOURCE_UNKNOWN",
      `expected a source that project ${run.project} was built from, found ${JSON.stringify(claimed)}`,
    );
  }
  const chain = verifyRun(
    bundles.map((bundle) => bundle.bytes),
    trustRoot,
    {
      artifact: artifact.digest,
      builder: builderId(trustDomain),
      issuer,
      source: claimed,
      project: run.project,
      pipeline: run.pipeline,
      require: demands.require,
    },
  );
  return { chain, statements: chain.statements.length };
}
