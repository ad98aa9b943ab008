import { sorted } from "../functions/lists.ts";
import { absorbable, type Fault, raise, rethrow } from "../runtime/fault.ts";
import type { Frame, Run } from "../runtime/frame.ts";
import { BuiltMap, filedKey, type MapEntry, MapValue } from "../runtime/maps.ts";
import { typeOf } from "../runtime/types.ts";
import { isList } from "../runtime/values.ts";
import type { ComprehensionNode, Span } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";
import { truth } from "./logic.ts";

/** What a macro over a range is made of. */
export interface Parts {
  readonly node: ComprehensionNode;
  readonly range: Run;
  readonly slots: readonly number[];
  readonly filter: Run | undefined;
  readonly body: Run;
}

/** Called for each element, its variables set; true ends the loop. */
type Visit = (frame: Frame, key: CelValue) => boolean;

/** A macro over a list or a map. */
export function comprehension(parts: Parts): Run {
  switch (parts.node.name) {
    case "all":
      return quantifier(parts, false);
    case "exists":
      return quantifier(parts, true);
    case "existsOne":
      return existsOne(parts);
    case "filter":
      return (frame) => collect(frame, parts, parts.body, (_, first) => first);
    case "map":
    case "transformList":
      return (frame) => collect(frame, parts, parts.filter, parts.body);
    case "sortBy":
      return sortBy(parts);
    case "transformMap":
      return (frame) => transformMap(frame, parts);
    case "transformMapEntry":
      return (frame) => transformMapEntry(frame, parts);
  }
}

/** Visits the elements of a list or the keys of a map; with two variables places or keys, and values. */
export function visit(frame: Frame, range: CelValue, slots: readonly number[], at: Span, each: Visit): void {
  const [first = 0, second] = slots;
  if (isList(range)) {
    for (let index = 0; index < range.length; index += 1) {
      frame.spend(1);
      const element = range[index] ?? null;
      const key = second === undefined ? element : BigInt(index);
      frame.slots[first] = key;
      if (second !== undefined) frame.slots[second] = element;
      if (each(frame, key)) return;
    }
  } else if (range instanceof MapValue) {
    for (const { key, value } of range.entries.values()) {
      frame.spend(1);
      frame.slots[first] = key;
      if (second !== undefined) frame.slots[second] = value;
      if (each(frame, key)) return;
    }
  } else raise("CEL_NO_SUCH_OVERLOAD", `expected a list or a map to go through, found ${typeOf(range)}`, at);
}

function quantifier({ node, range, slots, body }: Parts, deciding: boolean): Run {
  return (frame) => {
    let fault: Fault | undefined;
    let isDecided = false;
    visit(frame, range(frame), slots, node.range, () => {
      try {
        isDecided = truth(body(frame), node.name, node.body) === deciding;
      } catch (caught) {
        const absorbed = absorbable(caught);
        fault ??= absorbed;
      }
      return isDecided;
    });
    if (isDecided) return deciding;
    return fault === undefined ? !deciding : rethrow(fault);
  };
}

function existsOne({ node, range, slots, body }: Parts): Run {
  return (frame) => {
    let count = 0;
    visit(frame, range(frame), slots, node.range, () => {
      if (truth(body(frame), node.name, node.body)) count += 1;
      return false;
    });
    return count === 1;
  };
}

function collect(
  frame: Frame,
  { node, range, slots }: Parts,
  filter: Run | undefined,
  made: (frame: Frame, first: CelValue) => CelValue,
): readonly CelValue[] {
  const values: CelValue[] = [];
  visit(frame, range(frame), slots, node.range, (_, first) => {
    if (filter === undefined || truth(filter(frame), node.name, node)) {
      frame.hold(1);
      values.push(made(frame, first));
    }
    return false;
  });
  return values;
}

function sortBy({ node, range, slots, body }: Parts): Run {
  return (frame) => {
    const list = range(frame);
    if (!isList(list)) raise("CEL_NO_SUCH_OVERLOAD", `\`sortBy\` does not take ${typeOf(list)}`, node.range);
    const keys: CelValue[] = [];
    visit(frame, list, slots, node.range, () => keys.push(body(frame)) === 0);
    frame.at = node;
    return sorted(frame, list, keys);
  };
}

function transformMap(frame: Frame, { node, range, slots, filter, body }: Parts): CelValue {
  const entries = new Map<string, MapEntry>();
  visit(frame, range(frame), slots, node.range, (_, key) => {
    if (filter === undefined || truth(filter(frame), node.name, node)) {
      frame.hold(1);
      entries.set(filedKey(key) ?? "", { key, value: body(frame) });
    }
    return false;
  });
  return new BuiltMap(entries);
}

function transformMapEntry(frame: Frame, { node, range, slots, filter, body }: Parts): CelValue {
  const entries = new Map<string, MapEntry>();
  visit(frame, range(frame), slots, node.range, () => {
    if (filter !== undefined && !truth(filter(frame), node.name, node)) return false;
    const made = body(frame);
    if (!(made instanceof MapValue)) {
      return raise("CEL_NO_SUCH_OVERLOAD", `expected a map of an entry, found ${typeOf(made)}`, node.body);
    }
    for (const [filed, entry] of made.entries) {
      frame.hold(1);
      if (entries.has(filed)) raise("CEL_DUPLICATE_KEY", `the key ${filed.slice(1, 101)} is given twice`, node.body);
      entries.set(filed, entry);
    }
    return false;
  });
  return new BuiltMap(entries);
}
