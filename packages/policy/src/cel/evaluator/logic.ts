import { absorbable, type Fault, raise, rethrow } from "../runtime/fault.ts";
import type { Run } from "../runtime/frame.ts";
import { typeOf } from "../runtime/types.ts";
import type { Node, Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";

/** `&&` and `||` over their operands: one that decides makes up for errors of the others. */
export function logic(operator: "&&" | "||", runs: readonly Run[], nodes: readonly Node[]): Run {
  const deciding = operator === "||";
  const places: readonly [Run, Span][] = runs.map((run, index) => [run, nodes[index] ?? { from: 0, to: 0 }]);
  return (frame) => {
    frame.spend(1);
    let fault: Fault | undefined;
    for (const [run, at] of places) {
      try {
        if (truth(run(frame), operator, at) === deciding) return deciding;
      } catch (caught) {
        fault ??= absorbable(caught);
        if (fault !== caught) absorbable(caught);
      }
    }
    return fault === undefined ? !deciding : rethrow(fault);
  };
}

/** A boolean, and nothing that would pass for one. */
export function truth(value: CelValue, wanted: string, at: Span): boolean {
  if (typeof value === "boolean") return value;
  return raise("CEL_NO_SUCH_OVERLOAD", `\`${wanted}\` takes bool, found ${typeOf(value)}`, at);
}

/** `condition ? yes : no`. */
export function conditional(condition: Run, yes: Run, no: Run, at: Span): Run {
  return (frame) => {
    frame.spend(1);
    return truth(condition(frame), "?:", at) ? yes(frame) : no(frame);
  };
}
