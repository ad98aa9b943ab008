import type { Digest } from "@touchmark/core";
import type { Chain, Predecessor, TriggerRequest } from "@touchmark/formats/predicates";
import type { SourceRecord } from "@touchmark/source";

/** What every statement of a run is made from. */
export interface RunFacts {
  readonly run: string;
  readonly trustDomain: string;
  readonly project: string;
  readonly pipeline: string;
  /** Version of the factory. */
  readonly version: string;
  readonly request: TriggerRequest;
  readonly source: SourceRecord;
  readonly pipelineFile: { readonly path: string; readonly digest: Digest };
  readonly startedAt: Date;
  /** The control plane's clock. */
  readonly now: () => Date;
}

/** Place of a statement in the chain of its run. */
export function chainOf(facts: Pick<RunFacts, "run" | "now">, predecessors: readonly Predecessor[]): Chain {
  return { run: facts.run, createdAt: timeOf(facts.now()), predecessors: [...predecessors] };
}

/** RFC 3339 with milliseconds, as statements spell times. */
export function timeOf(at: Date): string {
  return at.toISOString();
}
