import type { Evaluation, EvaluationLimits, Expression, SubExpressionValue } from "./evaluation.ts";
import { Compiler } from "./evaluator/compiler.ts";
import { Explainer } from "./evaluator/explanation.ts";
import { Scope } from "./evaluator/scope.ts";
import { Fault } from "./runtime/fault.ts";
import { defaultLimits, Frame, type Run } from "./runtime/frame.ts";
import { PreparedVariables } from "./runtime/inputs.ts";
import { parseExpression } from "./syntax/parser.ts";

/** What an expression may speak of. */
export interface CompileOptions {
  /** Names of its variables; one may have dots. */
  readonly variables: readonly string[];
  /** Where names are looked up first: `a.b` lets `x` mean `a.b.x`. */
  readonly container?: string;
  /** Names that nothing declares fail when they are reached. Default: the expression is refused. */
  readonly unchecked?: boolean;
}

/** Compiles an expression of CEL. Throws what is wrong with its text; of its values, `evaluate` tells. */
export function compileExpression(source: string, options: CompileOptions): Expression {
  const root = parseExpression(source);
  const scope = new Scope(options.variables, options.container ?? "", options.unchecked === true);
  const program = new Compiler(scope);
  const run = program.compile(root);
  const explain = (frame: Frame): readonly SubExpressionValue[] => new Explainer(source, program, frame).explain(root);
  return {
    source,
    variables: [...scope.used.keys()].sort(),
    evaluate(variables, limits) {
      const prepared = variables instanceof PreparedVariables ? variables : new PreparedVariables(variables);
      const bounds: EvaluationLimits = limits === undefined ? defaultLimits : { ...defaultLimits, ...limits };
      const frame = new Frame(scope.slots, prepared, bounds);
      const outcome = outcomeOf(run, frame, source.length);
      let explanation: readonly SubExpressionValue[] | undefined;
      return {
        outcome,
        cost: frame.cost,
        // Worked out when asked for: most evaluations are never explained.
        get explanation() {
          explanation ??= explain(new Frame(scope.slots, prepared, bounds));
          return explanation;
        },
      };
    },
  };
}

function outcomeOf(run: Run, frame: Frame, end: number): Evaluation["outcome"] {
  try {
    return { kind: "value", value: run(frame) };
  } catch (caught) {
    const whole = { from: 0, to: end };
    if (caught instanceof Fault) {
      const { from, to } = caught.at ?? whole;
      return { kind: "error", code: caught.code, message: caught.message, from, to };
    }
    if (caught instanceof RangeError) {
      return { kind: "error", code: "CEL_STACK", message: "a value is nested too deeply", ...whole };
    }
    const message = caught instanceof Error ? caught.message : "a value could not be read";
    return { kind: "error", code: "CEL_INTERNAL", message, ...whole };
  }
}
