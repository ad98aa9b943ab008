import type { PolicyRule } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { Denial, DenialCode, RuleResult } from "../decision.ts";
import type { LayoutQuestion } from "./judgement.ts";

const codes: Readonly<Record<RuleResult["outcome"], DenialCode | undefined>> = {
  passed: undefined,
  excepted: undefined,
  pending: undefined,
  failed: "POLICY_RULE_FAILED",
  skipped: "POLICY_RULE_SKIPPED",
  error: "POLICY_EVALUATION_ERROR",
};

/** Evaluates a rule of a layout; its result is recorded, and what denies is returned. */
export function ruleDenials(
  rule: PolicyRule,
  variables: { readonly [name: string]: CelInput },
  { evaluateRule }: LayoutQuestion,
  step: string,
  results: RuleResult[],
): Denial[] {
  const result = evaluateRule?.(rule, variables) ?? unevaluated(rule);
  results.push(result);
  const code = codes[result.outcome];
  if (code === undefined) return [];
  return [
    {
      code,
      step,
      rule: rule.id,
      message: result.message ?? rule.message ?? rule.title,
      ...(rule.solution === undefined ? {} : { solution: rule.solution }),
    },
  ];
}

function unevaluated({ id, title, severity, practices }: PolicyRule): RuleResult {
  return {
    id,
    title,
    severity: severity ?? "medium",
    outcome: "error",
    message: "no evaluator was given for the rules of the layout",
    values: [],
    practices: practices ?? [],
    cost: 0,
  };
}
