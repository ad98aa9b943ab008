import { raise } from "../runtime/fault.ts";
import type { Run } from "../runtime/frame.ts";
import { typeOf } from "../runtime/types.ts";
import { none, Optional } from "../runtime/values.ts";
import type { CallNode, OptionalMapNode, Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";

/** `cel.bind(name, value, body)`. */
export function bound(slot: number, value: Run, body: Run): Run {
  return (frame) => {
    frame.spend(1);
    frame.slots[slot] = value(frame);
    return body(frame);
  };
}

/** `target.optMap(name, body)` and `target.optFlatMap(name, body)`. */
export function optionalMapped(node: OptionalMapNode, slot: number, target: Run, body: Run): Run {
  return (frame) => {
    frame.spend(1);
    const { value } = optional(target(frame), node);
    if (value === undefined) return none;
    frame.slots[slot] = value;
    const made = body(frame);
    return node.flat ? optional(made, node.body) : new Optional(made);
  };
}

/** `target.or(other)`, `target.orValue(other)`: the other is left alone where the target holds a value. */
export function orElse(node: CallNode, target: Run, other: Run): Run {
  const isValue = node.name === "orValue";
  return (frame) => {
    frame.spend(1);
    const first = optional(target(frame), node);
    if (first.value !== undefined) return isValue ? first.value : first;
    const made = other(frame);
    return isValue ? made : optional(made, node);
  };
}

function optional(value: CelValue, at: Span): Optional {
  return value instanceof Optional
    ? value
    : raise("CEL_NO_SUCH_OVERLOAD", `expected an optional, found ${typeOf(value)}`, at);
}
