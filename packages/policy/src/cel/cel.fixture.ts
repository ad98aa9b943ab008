import { compileExpression } from "./compile.ts";
import type { Evaluation, EvaluationLimits } from "./evaluation.ts";
import type { VariableInput } from "./runtime/conversion.ts";
import type { CelValue } from "./value.ts";

type Variables = Readonly<Record<string, VariableInput | undefined>>;

/** Compiles and evaluates. */
export function evaluationOf(
  source: string,
  variables: Variables = {},
  limits?: Partial<EvaluationLimits>,
): Evaluation {
  return compileExpression(source, { variables: Object.keys(variables) }).evaluate(variables, limits);
}

/** The value of an expression, or the code of its error. */
export function worthOf(source: string, variables: Variables = {}, limits?: Partial<EvaluationLimits>): CelValue {
  const { outcome } = evaluationOf(source, variables, limits);
  return outcome.kind === "value" ? outcome.value : outcome.code;
}

/** What the explanation says: `expression = value`. */
export function explained(source: string, variables: Variables = {}): readonly string[] {
  const { explanation } = evaluationOf(source, variables);
  return explanation.map(({ expression, value, error }) => `${expression} = ${value ?? `error: ${error}`}`);
}
