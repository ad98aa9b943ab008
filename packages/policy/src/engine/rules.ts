import type { PolicyRule } from "@touchmark/formats/policy";
import type { Denial, DenialCode, RuleResult } from "../decision.ts";
import { evaluateRego } from "../rego/evaluate-rego.ts";
import type { Budget, RuleInputs } from "./budget.ts";
import { isReached } from "./dates.ts";
import { evaluate, type Outcome } from "./evaluation.ts";
import type { Exceptions } from "./exceptions.ts";
import { ruleVariables } from "./programs.ts";

/** What rules are judged with. */
export interface RuleScope {
  readonly variables: RuleInputs;
  /** Names that expressions may read, when there are others than those of every rule. */
  readonly names?: readonly string[];
  readonly budget: Budget;
  readonly now: Date;
  readonly exceptions: Exceptions["byRule"];
  /** Why variables of the policy have no value, by name. */
  readonly problems: ReadonlyMap<string, string>;
}

/** One rule's result, and why it denies. */
export interface JudgedRule {
  readonly result: RuleResult;
  readonly denial?: Denial;
}

/** Judges rules, each after those that it depends on; the answer has the order of the document. */
export function judgeRules(rules: readonly PolicyRule[], scope: RuleScope): readonly JudgedRule[] {
  const judged = new Map<string, JudgedRule>();
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  // Rules that wait for others, the first at the bottom: without recursion, so that no document is too deep.
  for (const first of rules) {
    const waiting = [first];
    const isWaiting = new Set([first.id]);
    for (let rule = waiting.at(-1); rule !== undefined; rule = waiting.at(-1)) {
      const missing = judged.has(rule.id) ? undefined : (rule.dependsOn ?? []).find((id) => !judged.has(id));
      const next = missing === undefined ? undefined : byId.get(missing);
      if (next !== undefined && !isWaiting.has(next.id)) {
        waiting.push(next);
        isWaiting.add(next.id);
        continue;
      }
      if (!judged.has(rule.id)) judged.set(rule.id, judgeInOrder(rule, judged, scope));
      waiting.pop();
      isWaiting.delete(rule.id);
    }
  }
  return rules.map((rule) => judged.get(rule.id) as JudgedRule);
}

/** A rule whose dependencies were judged, unless they are in a circle or do not exist. */
function judgeInOrder(rule: PolicyRule, judged: ReadonlyMap<string, JudgedRule>, scope: RuleScope): JudgedRule {
  const blocking = (rule.dependsOn ?? []).find((id) => !isMet(judged.get(id)?.result.outcome));
  if (blocking === undefined) return judgeRule(rule, scope);
  const outcome = judged.get(blocking)?.result.outcome;
  const why =
    outcome === undefined
      ? `it depends on ${blocking}, which is no rule of the policy or depends on it in turn`
      : `it depends on ${blocking}, which is ${outcome}`;
  return settle(rule, scope, { outcome: "skipped", code: "POLICY_RULE_SKIPPED", message: why, values: [], cost: 0 });
}

/** What was excepted, or is only announced, does not stand in the way: the rule after it speaks for itself. */
function isMet(outcome: RuleResult["outcome"] | undefined): boolean {
  return outcome === "passed" || outcome === "excepted" || outcome === "pending";
}

/** Judges one rule alone. */
export function judgeRule(rule: PolicyRule, scope: RuleScope): JudgedRule {
  const found = outcomeOf(rule, scope);
  const { cost } = found;
  if (found.kind === "error") {
    const { code, values } = found;
    const message = [found.message, ...problemsOf(rule, scope)].join("; ");
    return settle(rule, scope, { outcome: "error", code, message, values, cost });
  }
  if (found.value === true) return { result: resultOf(rule, { outcome: "passed", values: [], cost }) };
  const { values } = found;
  if (found.value !== false) {
    const message = "its expression came to neither true nor false";
    return settle(rule, scope, { outcome: "error", code: "POLICY_EVALUATION_ERROR", message, values, cost });
  }
  const told = messageOf(rule, scope);
  return settle(rule, scope, {
    outcome: "failed",
    code: "POLICY_RULE_FAILED",
    message: told.message,
    values,
    cost: cost + told.cost,
  });
}

/** By its expression, or by a module of Rego; a rule with both or with neither is none. */
function outcomeOf({ expression, rego }: PolicyRule, { variables, budget, names = ruleVariables }: RuleScope): Outcome {
  if (rego === undefined && expression !== undefined) return evaluate(expression, variables, budget, names);
  if (rego !== undefined && expression === undefined) return evaluateRego(rego, variables, budget, names);
  const message = `it has ${rego === undefined ? "neither an expression nor" : "both an expression and"} a module of Rego`;
  return { kind: "error", code: "POLICY_EVALUATION_ERROR", message, values: [], cost: 0 };
}

function problemsOf({ expression = "" }: PolicyRule, { problems }: RuleScope): string[] {
  const read = [...problems].filter(([name]) => expression.includes(`vars.${name}`));
  return read.map(([name, why]) => `the variable ${name} has no value: ${why}`);
}

interface Shortfall {
  readonly outcome: "failed" | "skipped" | "error";
  readonly code: DenialCode;
  readonly message: string;
  readonly values: RuleResult["values"];
  readonly cost: number;
}

/** A rule that did not pass: excepted, only announced, or a denial. */
function settle(rule: PolicyRule, { now, exceptions }: RuleScope, found: Shortfall): JudgedRule {
  const { code, message, outcome } = found;
  // Bounds of the decision are no rule's, and no exception lifts them.
  const isBound = code === "POLICY_COST" || code === "POLICY_TIMEOUT";
  const exception = isBound ? undefined : exceptions.get(rule.id);
  if (exception !== undefined) {
    return { result: { ...resultOf(rule, { ...found, outcome: "excepted" }), exception } };
  }
  const { effectiveOn } = rule;
  if (!isBound && effectiveOn !== undefined && !isReached(effectiveOn, now)) {
    return { result: resultOf(rule, { ...found, outcome: "pending" }) };
  }
  const prefix = outcome === "failed" ? "" : `${rule.title}: `;
  return {
    result: resultOf(rule, found),
    denial: {
      code,
      message: `${prefix}${message}`,
      ...(rule.solution === undefined ? {} : { solution: rule.solution }),
      rule: rule.id,
    },
  };
}

function resultOf(
  rule: PolicyRule,
  found: Omit<Shortfall, "outcome" | "code" | "message"> & {
    readonly outcome: RuleResult["outcome"];
    readonly message?: string;
  },
): RuleResult {
  const { outcome, message, values, cost } = found;
  return {
    id: rule.id,
    title: rule.title,
    severity: rule.severity ?? "medium",
    outcome,
    ...(message === undefined ? {} : { message }),
    ...(outcome === "passed" || rule.solution === undefined ? {} : { solution: rule.solution }),
    values,
    ...(rule.effectiveOn === undefined ? {} : { effectiveOn: rule.effectiveOn }),
    practices: rule.practices ?? [],
    cost,
  };
}

/** Most characters of a message that an expression makes. */
const MAX_MESSAGE = 4096;

function messageOf(rule: PolicyRule, scope: RuleScope): { readonly message: string; readonly cost: number } {
  const plain = rule.message ?? rule.title;
  if (rule.messageExpression === undefined) return { message: plain, cost: 0 };
  const made: Outcome = evaluate(rule.messageExpression, scope.variables, scope.budget, scope.names);
  const isText = made.kind === "value" && typeof made.value === "string" && made.value !== "";
  return { message: isText ? made.value.slice(0, MAX_MESSAGE).toWellFormed() : plain, cost: made.cost };
}
