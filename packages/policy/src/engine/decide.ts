import { canonicalJson, type Digest, rfc3339, sha256 } from "@touchmark/core";
import type { Policy, PolicyMode } from "@touchmark/formats/policy";
import { isVerified } from "@touchmark/verify";
import { isVerifiedChain } from "@touchmark/verify/chain";
import type { Decision, DecisionInput, Denial, Pinned } from "../decision.ts";
import type { LayoutJudgement } from "../layout/judgement.ts";
import { Budget } from "./budget.ts";
import { inputDigest } from "./canonical-input.ts";
import { chainsInOrder, chainView } from "./chain-facts.ts";
import { type Evidence, evidenceOf, inOrder } from "./evidence.ts";
import { setDenials } from "./policy-set.ts";
import type { ChainView, Scope } from "./scope.ts";
import { judgePolicy } from "./verdict.ts";

/**
 * Decides: which policies speak about the subject at this point, and what each says. Pure and total: the same input
 * gives the same bytes, no input throws, and whatever is missing, unknown or broken denies under a code of its own.
 */
export function decide(input: DecisionInput): Decision {
  return denyBroken(input, () => decideVerified(input));
}

function decideVerified(input: DecisionInput): Decision {
  const counted = input.evidence.filter((each) => isVerified(each) && each.kind === "statement");
  const chains = (input.chains ?? []).filter(isVerifiedChain);
  const isUnverified = counted.length < input.evidence.length || chains.length < (input.chains ?? []).length;
  const denials: Denial[] = isUnverified
    ? [{ code: "POLICY_EVIDENCE_UNVERIFIED", message: "evidence was given that no verification here made" }]
    : [];
  return decideOver(input, { evidence: counted.map(evidenceOf), chains: chains.map(chainView), denials });
}

/** What came in through a door: for decisions that count, only what was verified. */
export interface Admitted {
  readonly evidence: readonly Evidence[];
  readonly chains: readonly ChainView[];
  readonly denials: readonly Denial[];
  readonly statedLayout?: LayoutJudgement;
}

/** The decision itself, the same for every door. Not exported by the package. */
export function decideOver(input: DecisionInput, admitted: Admitted): Decision {
  const budget = new Budget(input.limits, input.modules);
  // Whole seconds, as the decision itself says them: a replay from its record knows no more.
  const now = new Date(Math.floor(input.now.getTime() / 1000) * 1000);
  if (Number.isNaN(now.getTime())) {
    const denial: Denial = { code: "POLICY_CLOCK_WRONG", message: "the time of the decision is no time" };
    return decisionOf(input, admitted, { at: "", denials: [denial], judged: [], cost: 0 });
  }
  const chains = [...chainsInOrder(admitted.chains).values()].filter((each) => each.artifact === input.subject.digest);
  const scope: Scope = {
    subject: input.subject,
    request: input.request,
    parameters: input.parameters,
    evidence: inOrder(admitted.evidence),
    chain: undefined,
    layouts: input.layouts,
    inspections: input.inspections,
    now,
    issuer: input.issuer,
    budget,
    statedLayout: admitted.statedLayout,
  };
  const judged = policiesInOrder(input.policies)
    .filter(({ document }) => document.point === input.point)
    .flatMap((pinned) => judgePolicy(pinned, scope, chains) ?? []);
  const denials = [...admitted.denials, ...(input.set === undefined ? [] : setDenials(input.set, input, now))];
  return decisionOf(input, admitted, { at: rfc3339(now), denials, judged, cost: budget.spent });
}

/** Fails closed: what no part of the engine foresaw denies, in as much of a decision as can be said. */
export function denyBroken(input: DecisionInput, decision: () => Decision): Decision {
  try {
    return decision();
  } catch (error) {
    const message = `the question could not be judged: ${error instanceof Error ? error.message : "unknown"}`;
    const nothing = sha256("");
    return {
      touchmark: "decision/v1",
      point: input.point,
      subject: input.subject,
      result: "deny",
      at: "",
      denials: [{ code: "POLICY_EVALUATION_ERROR", message }],
      verdicts: [],
      inputs: {
        ...{ policies: [], layouts: [], evidence: [], refused: [], trustRoots: [] },
        ...{ request: nothing, parameters: nothing },
      },
      cost: 0,
    };
  }
}

interface Found {
  readonly at: string;
  readonly denials: readonly Denial[];
  readonly judged: readonly NonNullable<ReturnType<typeof judgePolicy>>[];
  readonly cost: number;
}

function decisionOf(input: DecisionInput, admitted: Admitted, { at, denials, judged, cost }: Found): Decision {
  const enforced = judged.filter(({ verdict }) => verdict.policy.mode === "enforce");
  const isSilent = enforced.length === 0 && !judged.some(({ speaks }) => speaks);
  const none: Denial = {
    code: "POLICY_NONE",
    message: `no policy in force speaks about ${input.subject.name} at the point ${input.point}`,
    solution: "Put a policy in force for it (`touchmark policy init`, `touchmark policy install`).",
  };
  const all = isSilent && denials.every(({ code }) => code !== "POLICY_CLOCK_WRONG") ? [...denials, none] : denials;
  const isDenied = all.length > 0 || enforced.some(({ verdict }) => verdict.verdict === "deny");
  return {
    touchmark: "decision/v1",
    point: input.point,
    subject: named(input.subject),
    result: isDenied ? "deny" : "allow",
    at,
    denials: all,
    verdicts: judged.map(({ verdict }) => verdict),
    inputs: inputsOf(input, admitted),
    cost,
  };
}

function named({ name, digest }: DecisionInput["subject"]): Decision["subject"] {
  return { name, ...(digest === undefined ? {} : { digest }) };
}

function inputsOf(input: DecisionInput, { evidence, chains }: Admitted): Decision["inputs"] {
  const roots = evidence.flatMap(({ trustRoot }) => (trustRoot === undefined ? [] : [trustRoot]));
  const refused = [...(input.refused ?? [])].map(([bundle, code]) => ({ bundle, code }));
  const { inspections, modules } = input;
  return {
    policies: distinct(input.policies.map(({ digest }) => digest)),
    layouts: distinct(input.layouts.map(({ digest }) => digest)),
    ...(input.set === undefined ? {} : { set: input.set.digest }),
    evidence: distinct(evidence.map(({ bundle }) => bundle)),
    refused: refused.sort((left, right) => (left.bundle < right.bundle ? -1 : 1)),
    request: inputDigest(input.request),
    parameters: inputDigest(input.parameters),
    trustRoots: distinct(roots),
    ...(chains.length === 0 ? {} : { chains: distinct([...chainsInOrder(chains).keys()]) }),
    ...(inspections === undefined || inspections.size === 0 ? {} : { inspections: inspectionsDigest(inspections) }),
    ...(modules === undefined || modules.size === 0 ? {} : { modules: distinct([...modules.keys()]) }),
    issuer: input.issuer,
  };
}

function inspectionsDigest(inspections: NonNullable<DecisionInput["inspections"]>): Digest {
  const rows = [...inspections].map(([name, { exitCode, materials, products }]) => [
    name,
    { exitCode, materials: Object.fromEntries(materials), products: Object.fromEntries(products) },
  ]);
  return sha256(canonicalJson(Object.fromEntries(rows)));
}

function distinct(digests: readonly Digest[]): readonly Digest[] {
  return [...new Set(digests)].sort();
}

/** In which order policies are judged: those that only look on cannot use up what those that enforce may cost. */
const order: Readonly<Record<PolicyMode, number>> = { enforce: 0, warn: 1, audit: 2, shadow: 3 };

/** Each once, by mode, name and digest: a verdict must not depend on the order in which policies were read. */
function policiesInOrder(policies: readonly Pinned<Policy>[]): readonly Pinned<Policy>[] {
  const keyOf = ({ digest, document }: Pinned<Policy>) =>
    `${order[document.mode ?? "enforce"]} ${document.name} ${digest}`;
  const byKey = new Map(policies.map((pinned) => [keyOf(pinned), pinned]));
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, pinned]) => pinned);
}
