import type { Digest } from "@touchmark/core";
import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { nodeId, stepId } from "@touchmark/identity";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";
import { findRun } from "./lookup.ts";

/** What a recorded step touched. */
export interface TracedPaths {
  readonly run: string;
  readonly step: string;
  /** Of the bundle with the trace. */
  readonly bundle: Digest;
  /** Files that were read or executed, as the step saw them. */
  readonly paths: readonly string[];
  /** Nothing was missed; only then is what is not among the paths unused. */
  readonly complete: boolean;
}

/** The files that a step of a run read, from its signed trace. @throws RUN_UNKNOWN | EVIDENCE_MISSING | every code of the verifier */
export async function tracedPaths(factory: Factory, runName: string, step: string): Promise<TracedPaths> {
  const run = await findRun(factory, runName);
  const type = predicateType("runtime-trace");
  const found = run.bundles.find((bundle) => bundle.predicateType === type && bundle.step === step);
  if (found === undefined) {
    throw pipelineErrors.make(
      "EVIDENCE_MISSING",
      `expected a trace of step ${JSON.stringify(step.slice(0, 80))} in run ${run.id}`,
    );
  }
  const { trustDomain, issuer } = factory.names();
  const identity = stepId(trustDomain, run.project, run.pipeline, step);
  const bytes = await factory.content.get(found.digest);
  const wanted = { artifact: "unbound", identity, issuer, predicateType: type } as const;
  const { statement } = verifyBundle(bytes, readTrustRoot(await factory.trustRoot()), wanted);
  const trace = readPredicate("runtime-trace", statement.predicate);
  const event = `run/${run.id}/step/${step}`;
  if (trace.monitoredProcess.event !== event || trace.monitoredProcess.hostID !== nodeId(trustDomain)) {
    throw pipelineErrors.make(
      "EVIDENCE_MISSING",
      `expected the trace of ${event}, found ${trace.monitoredProcess.event}`,
    );
  }
  const paths = new Set<string>();
  for (const { name } of trace.monitorLog.fileAccess ?? []) if (name !== undefined) paths.add(name);
  for (const process of trace.monitorLog.process ?? []) {
    const { executable } = process as { readonly executable?: unknown };
    if (typeof executable === "string") paths.add(executable);
  }
  return {
    run: run.id,
    step,
    bundle: found.digest,
    paths: [...paths].sort(),
    complete: trace.touchmark_trace?.complete === true,
  };
}
