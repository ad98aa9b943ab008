import type { Digest } from "@touchmark/core";
import type { Evaluation, Expression } from "../cel/evaluation.ts";
import type { PreparedVariables } from "../cel/index.ts";
import type { DecisionLimits } from "../decision.ts";

/** Variables of expressions, each converted once for all of them. */
export type RuleInputs = PreparedVariables;

/** What came of asking for one expression. */
export type Spent =
  | { readonly kind: "evaluated"; readonly evaluation: Evaluation }
  /** Not evaluated: nothing is left of what the decision may cost, or its time is over. */
  | { readonly kind: "POLICY_COST" | "POLICY_TIMEOUT" };

/** What one decision may cost, over all its policies. */
export class Budget {
  readonly #expressionCost: number;
  readonly #cost: number;
  readonly #isOver: () => boolean;
  /** True where something outside bounds what is not counted here. */
  readonly isOutside: boolean;
  /** Modules of rules in Rego. */
  readonly modules: ReadonlyMap<Digest, Uint8Array>;
  #spent = 0;
  #timedOut = false;

  constructor(limits: Partial<DecisionLimits> = {}, modules: ReadonlyMap<Digest, Uint8Array> = new Map()) {
    this.#expressionCost = atLeastZero(limits.expressionCost, 1_000_000);
    this.#cost = atLeastZero(limits.cost, 10_000_000);
    this.#isOver = limits.isOver ?? (() => false);
    this.isOutside = limits.outside === true;
    this.modules = modules;
  }

  /** Cost of everything that was evaluated. */
  get spent(): number {
    return this.#spent;
  }

  evaluate(expression: Expression, variables: RuleInputs): Spent {
    if (this.isOver()) return { kind: "POLICY_TIMEOUT" };
    const left = this.#cost - this.#spent;
    if (left <= 0) return { kind: "POLICY_COST" };
    const evaluation = expression.evaluate(variables, { cost: Math.min(left, this.#expressionCost) });
    this.#spent += evaluation.cost;
    return { kind: "evaluated", evaluation };
  }

  /** Takes what something other than an expression costs; what is over, where it is too much. */
  spend(cost: number): "POLICY_COST" | "POLICY_TIMEOUT" | undefined {
    if (this.isOver()) return "POLICY_TIMEOUT";
    if (cost > Math.min(this.#cost - this.#spent, this.#expressionCost)) return "POLICY_COST";
    this.#spent += cost;
    return undefined;
  }

  /** Once over, over for good: a decision does not come back to time. */
  isOver(): boolean {
    if (!this.#timedOut) {
      try {
        this.#timedOut = this.#isOver();
      } catch {
        this.#timedOut = true;
      }
    }
    return this.#timedOut;
  }
}

function atLeastZero(value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  return value > 0 ? value : 0;
}
