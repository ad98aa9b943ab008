import { isFactoryError } from "@touchmark/core";
import type { SubExpressionValue } from "../cel/evaluation.ts";
import type { CelValue } from "../cel/value.ts";
import type { DenialCode } from "../decision.ts";
import type { Budget, RuleInputs } from "./budget.ts";
import { programs, ruleVariables } from "./programs.ts";

/** What an expression came to. */
export type Outcome = (
  | { readonly kind: "value"; readonly value: CelValue }
  | {
      readonly kind: "error";
      readonly code: Extract<
        DenialCode,
        "POLICY_EVALUATION_ERROR" | "POLICY_MODULE_MISSING" | "POLICY_COST" | "POLICY_TIMEOUT"
      >;
      readonly message: string;
    }
) & { readonly values: readonly SubExpressionValue[]; readonly cost: number };

const notEvaluated = {
  POLICY_TIMEOUT: "the time of the decision was over before it",
  POLICY_COST: "nothing was left of what the decision may cost",
} as const;

/** Compiles and evaluates. Whatever goes wrong is an outcome. */
export function evaluate(
  source: string,
  variables: RuleInputs,
  budget: Budget,
  names: readonly string[] = ruleVariables,
): Outcome {
  const failed = (code: Extract<Outcome, { readonly kind: "error" }>["code"], message: string): Outcome => ({
    ...{ kind: "error", code, message, values: [], cost: 0 },
  });
  let spent: ReturnType<Budget["evaluate"]>;
  try {
    spent = budget.evaluate(programs.compile(source, names), variables);
  } catch (error) {
    if (isFactoryError(error)) return failed("POLICY_EVALUATION_ERROR", `${error.code}: ${error.message}`);
    throw error;
  }
  if (spent.kind !== "evaluated") return failed(spent.kind, notEvaluated[spent.kind]);
  const { evaluation } = spent;
  const { outcome, cost } = evaluation;
  if (outcome.kind === "value") {
    // Worked out when asked for, which is never for what passed.
    return {
      ...outcome,
      cost,
      get values() {
        return evaluation.explanation;
      },
    };
  }
  const isCost = outcome.code === "CEL_COST" || outcome.code === "CEL_MEMORY";
  return {
    kind: "error",
    code: isCost ? "POLICY_COST" : "POLICY_EVALUATION_ERROR",
    message: `${outcome.code}: ${outcome.message}`,
    values: evaluation.explanation,
    cost,
  };
}
