import type { Policy } from "@touchmark/formats/policy";
import type { Denial } from "../decision.ts";
import type { RuleInputs } from "./budget.ts";
import { evaluate } from "./evaluation.ts";
import { fits } from "./glob.ts";
import type { Scope } from "./scope.ts";

/** Variables that say what a policy is about: facts of the question alone, so that no evidence takes a policy away. */
export const matchVariables = ["now", "params", "request", "subject"] as const;

/**
 * Whether a policy is about the question. A denial when that cannot be told. Where the question does not say which
 * environment or namespace, policies of each of them speak.
 */
export function isMatch(match: NonNullable<Policy["match"]>, scope: Scope, variables: RuleInputs): boolean | Denial {
  const { names, environments, namespaces, expression } = match;
  if (names !== undefined && !names.some((pattern) => fits(pattern, scope.subject.name))) return false;
  if (!isAmong(environments, scope.request["environment"])) return false;
  if (!isAmong(namespaces, scope.request["namespace"])) return false;
  if (expression === undefined) return true;
  const outcome = evaluate(expression, variables, scope.budget, matchVariables);
  if (outcome.kind === "error") return { code: outcome.code, message: `\`match\`: ${outcome.message}` };
  if (typeof outcome.value === "boolean") return outcome.value;
  return { code: "POLICY_EVALUATION_ERROR", message: "`match`: its expression came to neither true nor false" };
}

function isAmong(wanted: readonly string[] | undefined, found: unknown): boolean {
  return wanted === undefined || typeof found !== "string" || found === "" || wanted.includes(found);
}
