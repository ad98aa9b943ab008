import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import type { DecisionPoint } from "@touchmark/formats/policy";
import { type Decision, type DecisionInput, decide } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { keepRecord, plainFacts } from "./decision-record.ts";
import type { PoliciesInForce } from "./policies-in-force.ts";

/** A question of a gate. Policies, exceptions, parameters and who vouches for identities come from the home. */
export type Question = Pick<DecisionInput, "point" | "subject" | "request" | "evidence"> &
  Partial<Pick<DecisionInput, "chains" | "refused" | "inspections" | "now" | "limits">>;

/** A decision that was recorded. */
export interface DecidedHere {
  readonly decision: Decision;
  /** Digest of the decision's canonical JSON: what is signed. */
  readonly digest: Digest;
  /** Digest of the record, by which it can be replayed. */
  readonly record: Digest;
  /** From then on the next point does not rely on it. */
  readonly expires: Date;
}

/** How long a decision may be relied on by the next point, unless a policy expires before. */
const DECISION_SECONDS = 24 * 60 * 60;

/** Decides by the policies in force, and records what it takes to decide again. SPEC PO2. */
export function decideHere(factory: Factory, policies: PoliciesInForce, question: Question): DecidedHere {
  const input = inputOf(factory, policies, question);
  const decision = decide(input);
  const record = keepRecord(factory, {
    touchmark: "decision-record/v1",
    decision,
    request: plainFacts(question.request),
    parameters: plainFacts(policies.parameters),
    issuer: input.issuer,
    evidence: input.evidence.map(({ bundle }) => bundle),
    chains: (question.chains ?? []).map(({ artifact }) => artifact.digest),
  });
  return { decision, digest: sha256(canonicalJson(decision)), record, expires: expiryOf(input) };
}

/** Until when a decision on this input may be relied on. */
export function expiryOf({ policies, now }: Pick<DecisionInput, "policies" | "now">): Date {
  const ends = policies.map(({ document }) => Date.parse(document.expires));
  const latest = now.getTime() + DECISION_SECONDS * 1000;
  return new Date(Math.min(latest, ...ends.filter((end) => end > now.getTime())));
}

/** The whole input of a decision. */
export function inputOf(factory: Factory, policies: PoliciesInForce, question: Question): DecisionInput {
  const { set, parameters, exceptions } = policies;
  return {
    ...question,
    policies: policies.policies,
    layouts: policies.layouts,
    ...(set === undefined ? {} : { set }),
    evidence: [...question.evidence, ...exceptions],
    parameters,
    now: question.now ?? factory.clock.now(),
    issuer: factory.names().issuer,
  };
}

/** True where some policy in force speaks of a point: what nobody asks needs no facts. */
export const speaksOf = (policies: PoliciesInForce, point: DecisionPoint): boolean =>
  policies.policies.some(({ document }) => document.point === point);
