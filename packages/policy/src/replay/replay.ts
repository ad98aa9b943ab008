import type { Digest } from "@touchmark/core";
import type { Layout, Policy } from "@touchmark/formats/policy";
import type { Decision, DecisionInput, Denial, Pinned } from "../decision.ts";
import { decide } from "../engine/decide.ts";

/** A decision of the past, with all that it rested on but the policies. */
export interface RecordedDecision {
  readonly record: Digest;
  readonly decision: Decision;
  readonly input: Omit<DecisionInput, "policies" | "layouts" | "set">;
}

/** Documents whose verdicts are wanted. */
export interface Candidate {
  readonly policies: readonly Pinned<Policy>[];
  readonly layouts: readonly Pinned<Layout>[];
}

/** What a candidate says of a decision of the past. */
export interface Replayed {
  readonly record: Digest;
  readonly before: Decision;
  readonly after: Decision;
  readonly flipped: boolean;
  /** Reasons that are new, and reasons that are gone. */
  readonly gained: readonly Denial[];
  readonly lost: readonly Denial[];
}

/**
 * Decides again, by the candidate. Undefined where the candidate speaks of other points alone: that would refuse
 * everything, and say nothing. At the time of the recorded decision, unless another one is given.
 */
export function replayDecision(recorded: RecordedDecision, candidate: Candidate, now?: Date): Replayed | undefined {
  const { record, decision: before, input } = recorded;
  if (!candidate.policies.some(({ document }) => document.point === input.point)) return undefined;
  const after = decide({ ...input, ...candidate, ...(now === undefined ? {} : { now }) });
  const [old, fresh] = [reasonsOf(before), reasonsOf(after)];
  return {
    record,
    before,
    after,
    flipped: before.result !== after.result,
    gained: [...fresh].filter(([key]) => !old.has(key)).map(([, denial]) => denial),
    lost: [...old].filter(([key]) => !fresh.has(key)).map(([, denial]) => denial),
  };
}

function reasonsOf(decision: Decision): ReadonlyMap<string, Denial> {
  const denials = [...decision.denials, ...decision.verdicts.flatMap((each) => each.denials)];
  return new Map(denials.map((denial) => [`${denial.code} ${denial.rule ?? ""} ${denial.step ?? ""}`, denial]));
}
