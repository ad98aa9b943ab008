import type { Native } from "../functions/native.ts";
import type { Run } from "../runtime/frame.ts";
import type { Span } from "../syntax/node.ts";

const absent: Run = () => null;

/** A call of a function: its arguments first, each once. */
export function callOf(at: Span, native: Native, runs: readonly Run[]): Run {
  const [first = absent, second = absent, third = absent, fourth = absent] = runs;
  if (runs.length <= 1) {
    return (frame) => {
      frame.spend(1);
      const a = first(frame);
      frame.at = at;
      return native(frame, a, null, null, null);
    };
  }
  if (runs.length === 2) {
    return (frame) => {
      frame.spend(1);
      const a = first(frame);
      const b = second(frame);
      frame.at = at;
      return native(frame, a, b, null, null);
    };
  }
  return (frame) => {
    frame.spend(1);
    const a = first(frame);
    const b = second(frame);
    const c = third(frame);
    const d = fourth(frame);
    frame.at = at;
    return native(frame, a, b, c, d);
  };
}
