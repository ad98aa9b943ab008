import type { Policy } from "@touchmark/formats/policy";
import { mapOfValues } from "../cel/runtime/maps.ts";
import type { CelMap, CelValue } from "../cel/value.ts";
import type { Denial } from "../decision.ts";
import type { Budget, RuleInputs } from "./budget.ts";
import { evaluate } from "./evaluation.ts";

/** What came of a policy's named expressions. */
export interface Variables {
  /** The variable `vars`. One that came to no value is absent, and rules that need it fail. */
  readonly variable: CelMap;
  /** Only of bounds of the decision: an expression that fails is told by the rules that need it. */
  readonly denials: readonly Denial[];
  /** Why a variable is absent, by its name. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Computes the named expressions, each over those before it. */
export function computeVariables(declared: Policy["variables"], inputs: RuleInputs, budget: Budget): Variables {
  const known = new Map<string, CelValue>();
  const problems = new Map<string, string>();
  const denials: Denial[] = [];
  for (const { name, expression } of declared ?? []) {
    const outcome = evaluate(expression, inputs.with({ vars: mapOfValues(Object.fromEntries(known)) }), budget);
    if (outcome.kind === "value") known.set(name, outcome.value);
    else {
      problems.set(name, outcome.message);
      if (outcome.code !== "POLICY_EVALUATION_ERROR") {
        denials.push({ code: outcome.code, message: `the variable ${name}: ${outcome.message}` });
        break;
      }
    }
  }
  return { variable: mapOfValues(Object.fromEntries(known)), denials, problems };
}
