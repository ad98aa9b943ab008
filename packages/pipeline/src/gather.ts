import type { Digest } from "@touchmark/core";
import type { IndexMending, RunRecord } from "@touchmark/store";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import { runsOf } from "./lookup.ts";

/** The evidence about one artifact as it is stored: nothing of it is verified yet. */
export interface GatheredEvidence {
  readonly artifact: Digest;
  readonly run: RunRecord;
  /** Every bundle of the run, those of cached steps included. */
  readonly bundles: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
  /** Bundles that the run names and the store does not have. */
  readonly missing: readonly Digest[];
}

/** Collects the evidence of the newest run that released the artifact. @throws EVIDENCE_MISSING */
export async function gatherEvidence(
  factory: Factory,
  artifact: Digest,
  mending?: IndexMending,
): Promise<GatheredEvidence> {
  const [run] = (await runsOf(factory, artifact, mending)).filter((record) => record.state === "succeeded");
  if (run === undefined) {
    throw pipelineErrors.make("EVIDENCE_MISSING", `expected a run of this factory that made ${artifact}, found none`);
  }
  const bundles: { digest: Digest; bytes: Uint8Array }[] = [];
  const missing: Digest[] = [];
  for (const digest of new Set([
    ...run.bundles.map((row) => row.digest),
    ...run.artifacts.flatMap((row) => row.bundles),
  ])) {
    if (await factory.content.has(digest)) bundles.push({ digest, bytes: await factory.content.get(digest) });
    else missing.push(digest);
  }
  return { artifact, run, bundles, missing };
}
