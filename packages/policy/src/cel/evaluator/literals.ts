import { raise } from "../runtime/fault.ts";
import type { Run } from "../runtime/frame.ts";
import { BuiltMap, filedKey, type MapEntry } from "../runtime/maps.ts";
import { typeOf } from "../runtime/types.ts";
import { Optional } from "../runtime/values.ts";
import type { ListNode, MapNode, Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";

/** `[a, ?b]`. */
export function listOf(node: ListNode, runs: readonly Run[]): Run {
  const flags = node.elements.map(({ optional }) => optional);
  return (frame) => {
    frame.hold(runs.length);
    const values: CelValue[] = [];
    for (const [index, run] of runs.entries()) {
      const value = run(frame);
      if (flags[index] !== true) values.push(value);
      else {
        const held = optionalValue(value, node);
        if (held !== undefined) values.push(held);
      }
    }
    return values;
  };
}

/** `{key: value, ?key: optional}`. */
export function mapOf(node: MapNode, runs: readonly (readonly [Run, Run])[]): Run {
  const flags = node.entries.map(({ optional }) => optional);
  return (frame) => {
    frame.hold(runs.length);
    const entries = new Map<string, MapEntry>();
    for (const [index, [keyRun, valueRun]] of runs.entries()) {
      const key = keyRun(frame);
      const made = valueRun(frame);
      const value = flags[index] === true ? optionalValue(made, node) : made;
      const filed = typeof key === "number" ? undefined : filedKey(key);
      if (filed === undefined) return raise("CEL_NO_SUCH_OVERLOAD", `a map has no keys of type ${typeOf(key)}`, node);
      if (entries.has(filed)) return raise("CEL_DUPLICATE_KEY", `the key ${filed.slice(1, 101)} is given twice`, node);
      if (value !== undefined) entries.set(filed, { key, value });
    }
    return new BuiltMap(entries);
  };
}

function optionalValue(value: CelValue, at: Span): CelValue | undefined {
  if (value instanceof Optional) return value.value;
  return raise("CEL_NO_SUCH_OVERLOAD", `expected an optional after \`?\`, found ${typeOf(value)}`, at);
}
