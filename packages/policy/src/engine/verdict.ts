import type { Policy, PolicyMode, PolicyRule } from "@touchmark/formats/policy";
import { prepareVariables } from "../cel/index.ts";
import type { CelInput } from "../cel/value.ts";
import type { Denial, Pinned, PolicyVerdict, RuleResult } from "../decision.ts";
import { countAttestations } from "./attestations.ts";
import { collectRules } from "./collected-rules.ts";
import { daysUntil, isReached } from "./dates.ts";
import { findExceptions } from "./exceptions.ts";
import { judgeLayoutPart } from "./layout-part.ts";
import { isMatch } from "./match.ts";
import { readParameters } from "./parameters.ts";
import { programs } from "./programs.ts";
import { type JudgedRule, judgeRules, type RuleScope } from "./rules.ts";
import type { ChainView, Scope } from "./scope.ts";
import { computeVariables } from "./variables.ts";

/** A verdict, and whether the policy had anything to say. */
export interface Judged {
  readonly verdict: PolicyVerdict;
  /** False for one that decides nothing: expired, empty, in shadow. It cannot stand for a policy that allows. */
  readonly speaks: boolean;
}

/** Judges one policy; undefined when it is about something else. Whatever fails in it denies in its name. */
export function judgePolicy(pinned: Pinned<Policy>, scope: Scope, chains: readonly ChainView[]): Judged | undefined {
  try {
    return judge(pinned, scope, chains);
  } catch (error) {
    const message = `it could not be judged: ${error instanceof Error ? error.message : "unknown"}`;
    return silent(pinned, scope, [{ code: "POLICY_EVALUATION_ERROR", message }]);
  }
}

function judge(pinned: Pinned<Policy>, scope: Scope, chains: readonly ChainView[]): Judged | undefined {
  const { document: policy } = pinned;
  const parameters = readParameters(policy.parameters, scope.parameters);
  const question = { subject: subjectOf(scope), request: scope.request, params: parameters.variable, now: scope.now };
  const match = policy.match === undefined ? true : isMatch(policy.match, scope, prepareVariables(question));
  if (match === false) return undefined;
  if (match !== true) return silent(pinned, scope, [match]);
  if (isReached(policy.expires, scope.now)) {
    const message = `the policy expired on ${policy.expires}`;
    return silent(pinned, scope, [{ code: "POLICY_EXPIRED", message, solution: "Put a newer version in force." }]);
  }
  const collected = collectRules(policy);
  const demands = Object.values(policy.attestations ?? {}).some((wanted) => wanted.required !== false);
  if (collected.rules.length === 0 && collected.denials.length === 0 && !demands && policy.layout === undefined) {
    const message = "the policy has no rule, demands no attestation and no layout";
    return silent(pinned, scope, [{ code: "POLICY_EMPTY", message, solution: "Give it rules, or take it away." }]);
  }
  if (parameters.denials.length > 0) return silent(pinned, scope, [...collected.denials, ...parameters.denials]);
  const candidates = readsChain(policy, collected.rules) ? chains : chains.slice(0, 1);
  let best: PolicyVerdict | undefined;
  // Any chain that satisfies the policy does: one that fails does not hide it.
  for (const chain of candidates.length === 0 ? [undefined] : candidates) {
    const verdict = judgeWith(pinned, { ...scope, chain }, collected, question);
    if (best === undefined || verdict.denials.length < best.denials.length) best = verdict;
    if (best.verdict === "allow") break;
  }
  return { verdict: best as PolicyVerdict, speaks: policy.mode !== "shadow" };
}

/** The verdict over one chain, or none. */
function judgeWith(
  pinned: Pinned<Policy>,
  scope: Scope,
  collected: ReturnType<typeof collectRules>,
  question: { readonly [name: string]: CelInput },
): PolicyVerdict {
  const { document: policy } = pinned;
  const attestations = countAttestations(policy, scope);
  const exceptions = findExceptions(policy, scope);
  const given = prepareVariables({
    ...question,
    attestations: attestations.variable,
    chain: scope.chain?.facts ?? null,
    layout: null,
  });
  const vars = computeVariables(policy.variables, given, scope.budget);
  const ruleScope: RuleScope = {
    variables: given.with({ vars: vars.variable }),
    budget: scope.budget,
    now: scope.now,
    exceptions: exceptions.byRule,
    problems: vars.problems,
  };
  const layout = judgeLayoutPart(policy, scope, ruleScope);
  const judged = judgeRules(collected.rules, {
    ...ruleScope,
    variables: ruleScope.variables.with({ layout: layout.variable }),
  });
  const rules = [...judged.map(({ result }) => result), ...layout.rules];
  const denials = [
    ...collected.denials,
    ...attestations.denials,
    ...layout.denials,
    ...vars.denials,
    ...ruleDenials(judged),
  ];
  return {
    policy: nameOf(pinned),
    verdict: denials.length === 0 ? "allow" : "deny",
    denials,
    rules,
    attestations: [...attestations.considered, ...layout.considered, ...exceptions.considered],
    ...(layout.warnings.length === 0 ? {} : { warnings: layout.warnings }),
    expiresInDays: nearest(policy, rules, layout.expires, scope.now),
  };
}

/** Denials of rules; of those that nothing was left for, the first stands for all. */
function ruleDenials(judged: readonly JudgedRule[]): readonly Denial[] {
  const denials: Denial[] = [];
  let isOver = false;
  for (const { denial, result } of judged) {
    if (denial === undefined) continue;
    const isBound = result.cost === 0 && (denial.code === "POLICY_TIMEOUT" || denial.code === "POLICY_COST");
    if (!isBound || !isOver) denials.push(denial);
    isOver ||= isBound;
  }
  return denials;
}

function nearest(policy: Policy, rules: readonly RuleResult[], layout: string | undefined, now: Date): number {
  const ends = [policy.expires, ...(layout === undefined ? [] : [layout])];
  for (const { exception } of rules) if (exception !== undefined) ends.push(exception.expires);
  return Math.min(...ends.map((end) => daysUntil(end, now)));
}

/** A policy that decides nothing: it denies, and stands for none that allows. */
function silent(pinned: Pinned<Policy>, scope: Scope, denials: readonly Denial[]): Judged {
  const expiresInDays = daysUntil(pinned.document.expires, scope.now);
  const verdict = {
    policy: nameOf(pinned),
    verdict: "deny" as const,
    denials,
    rules: [],
    attestations: [],
    expiresInDays,
  };
  return { verdict, speaks: false };
}

function nameOf({ digest, document }: Pinned<Policy>): PolicyVerdict["policy"] {
  const mode: PolicyMode = document.mode ?? "enforce";
  return { name: document.name, version: document.version, digest, mode };
}

function subjectOf({ subject }: Scope): CelInput {
  return { name: subject.name, digest: subject.digest };
}

/** True when another chain could make another verdict. */
function readsChain(policy: Policy, rules: readonly PolicyRule[]): boolean {
  const wantsChain = Object.values(policy.attestations ?? {}).some(
    ({ about }) => about === "source" || about === "run",
  );
  if (wantsChain || policy.layout !== undefined) return true;
  // What a module reads, nobody sees from outside.
  if (rules.some(({ expression }) => expression === undefined)) return true;
  return [...(policy.variables ?? []), ...rules].some(({ expression = "" }) => {
    try {
      return programs.compile(expression).variables.includes("chain");
    } catch {
      return false;
    }
  });
}
