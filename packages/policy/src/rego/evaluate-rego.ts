import { isFactoryError } from "@touchmark/core";
import type { PolicyRule } from "@touchmark/formats/policy";
import type { Budget, RuleInputs } from "../engine/budget.ts";
import type { Outcome } from "../engine/evaluation.ts";
import { inputJson } from "./input-json.ts";
import { moduleOf } from "./modules.ts";

/**
 * Asks a module. It is true only by exactly `true`; false and no value at all are false; anything else is an error, as
 * is every other kind of answer. Its steps are not counted, so that it is asked only where something outside can end it.
 */
export function evaluateRego(
  { module: digest, entrypoint }: NonNullable<PolicyRule["rego"]>,
  variables: RuleInputs,
  budget: Budget,
  names: readonly string[],
): Outcome {
  const failed = (code: Extract<Outcome, { readonly kind: "error" }>["code"], message: string, cost = 0): Outcome => ({
    ...{ kind: "error", code, message, values: [], cost },
  });
  const missing = `the module ${digest} is not there, or is not what its digest says`;
  let cost = 0;
  try {
    if (!budget.modules.has(digest)) return failed("POLICY_MODULE_MISSING", missing);
    if (!budget.isOutside) {
      const why = "a module of Rego is judged only in a thread that a deadline ends";
      return failed("POLICY_EVALUATION_ERROR", why);
    }
    const module = moduleOf(digest, budget.modules);
    if (module === undefined) return failed("POLICY_MODULE_MISSING", missing);
    const input = inputJson(names, variables);
    cost = Math.ceil(input.length / CHARACTERS_A_STEP);
    const over = budget.spend(cost);
    if (over === "POLICY_TIMEOUT") return failed(over, "the time of the decision was over before it");
    if (over === "POLICY_COST") return failed(over, "its input costs more than what is left for the decision");
    return { kind: "value", value: module.ask(entrypoint, input) ?? false, values: [], cost };
  } catch (error) {
    if (isFactoryError(error)) return failed("POLICY_EVALUATION_ERROR", `${error.code}: ${error.message}`, cost);
    throw error;
  }
}

/** As CEL counts them. */
const CHARACTERS_A_STEP = 10;
