import { type FactoryError, isFactoryError, type TreeEntry } from "@touchmark/core";
import type { Reconciliation } from "@touchmark/materials";
import type { StepOutcomeFacts } from "../evidence/run-statements.ts";
import type { RunSession } from "../run-session.ts";
import type { FetchReport } from "./fetch-report.ts";
import type { UsedFile } from "./used-files.ts";

/** A comparison and its one line. */
export interface StepReconciliation {
  readonly result: Reconciliation;
  readonly summary: string;
  /** Why the step is refused, when a difference demands it. */
  readonly refusal?: FactoryError;
}

function refusalOf(
  step: string,
  result: Reconciliation,
  assert: (step: string, result: Reconciliation) => void,
): Pick<StepReconciliation, "refusal"> {
  try {
    assert(step, result);
    return {};
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return { refusal: error };
  }
}

/** Compares what one fetch step was allowed, got and left, and which of it others used so far. */
export async function reconcileFetch(
  fetched: FetchReport,
  made: readonly TreeEntry[],
  used: readonly UsedFile[],
): Promise<StepReconciliation> {
  const { assertReconciled, reconcile, reconciliationSummary } = await import("@touchmark/materials");
  const { admitted, refused } = fetched.session;
  const contents = new Map(
    admitted.flatMap(({ record, archive }) => (archive === undefined ? [] : [[record.digest, archive.digests]])),
  );
  const result = reconcile({
    lockfiles: fetched.lockfiles,
    records: admitted.map(({ record }) => record),
    refused: refused.filter((each) => !each.harmless),
    used,
    made,
    contents: (digest) => contents.get(digest),
    commits: fetched.commits,
    policy: { unlocked: fetched.unlocked },
  });
  return { result, summary: reconciliationSummary(result), ...refusalOf(fetched.step, result, assertReconciled) };
}

/** Compares, for each fetch step of a run, what was declared, admitted, fetched, recorded and used. */
export async function reconcileRun(
  session: RunSession,
  outcomes: readonly StepOutcomeFacts[],
): Promise<ReadonlyMap<string, StepReconciliation>> {
  const results = new Map<string, StepReconciliation>();
  for (const { step, fetched, made } of outcomes) {
    if (fetched === undefined) continue;
    results.set(step.name, await reconcileFetch(fetched, made, session.used.get(step.name) ?? []));
  }
  return results;
}
