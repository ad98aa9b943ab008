import type { VariableInput } from "./runtime/conversion.ts";
import type { PreparedVariables } from "./runtime/inputs.ts";
import type { CelValue } from "./value.ts";

/** A part of an expression and what it was worth. */
export interface SubExpressionValue {
  /** As written. */
  readonly expression: string;
  /** From, to: offsets in the expression. */
  readonly from: number;
  readonly to: number;
  /** Shown short: at most 200 characters of CEL. Absent where it failed to have a value. */
  readonly value?: string;
  readonly error?: string;
}

/** Bounds of one evaluation. */
export interface EvaluationLimits {
  /** Steps of the evaluator and elements that it touched; ten characters are a step. Default 1,000,000. */
  readonly cost: number;
  /** Characters, bytes and elements that all values made may hold together. Default 4 Mi. */
  readonly memory: number;
}

/** What came of an expression. It never throws. */
export interface Evaluation {
  readonly outcome:
    | { readonly kind: "value"; readonly value: CelValue }
    /** `code`: CEL_NO_SUCH_FIELD, CEL_NO_SUCH_OVERLOAD, CEL_DIVIDE_BY_ZERO, CEL_OVERFLOW, CEL_COST, CEL_MEMORY, … */
    | {
        readonly kind: "error";
        readonly code: string;
        readonly message: string;
        readonly from: number;
        readonly to: number;
      };
  readonly cost: number;
  /**
   * Values of the sub-expressions that made the result what it is: for a false `&&` the side that was false, down to
   * the comparison and its operands; for `all` the element that failed. Outermost first, at most 50.
   */
  readonly explanation: readonly SubExpressionValue[];
}

/** A compiled expression; immutable, and free of any input. */
export interface Expression {
  readonly source: string;
  /** Names of the variables that it reads, sorted. */
  readonly variables: readonly string[];
  evaluate(
    variables: Readonly<Record<string, VariableInput | undefined>> | PreparedVariables,
    limits?: Partial<EvaluationLimits>,
  ): Evaluation;
}
