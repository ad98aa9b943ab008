import { equals } from "../runtime/equality.ts";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { filedKey, MapValue } from "../runtime/maps.ts";
import { compare } from "../runtime/ordering.ts";
import { typeOf } from "../runtime/types.ts";
import { isList, TypeValue } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

/** `value in list`, `key in map`. */
function isIn(frame: Frame, value: CelValue, collection: CelValue): boolean {
  if (isList(collection)) {
    for (const element of collection) {
      frame.spend(1);
      if (equals(frame, value, element)) return true;
    }
    return false;
  }
  if (!(collection instanceof MapValue)) return noOverload(frame, "in", value, collection);
  if (filedKey(value) === undefined && typeof value !== "number") return noOverload(frame, "in", value, collection);
  return collection.lookup(value) !== undefined;
}

function not(frame: Frame, value: CelValue): boolean {
  return typeof value === "boolean" ? !value : noOverload(frame, "!", value);
}

function size(frame: Frame, value: CelValue): bigint {
  if (typeof value === "string") return BigInt(codePoints(frame, value));
  if (isList(value) || value instanceof Uint8Array) return BigInt(value.length);
  if (value instanceof MapValue) return BigInt(value.size);
  return noOverload(frame, "size", value);
}

const surrogate = /[\ud800-\udfff]/;

/** Code points of a text. */
export function codePoints(frame: Frame, text: string): number {
  frame.read(text.length);
  if (!surrogate.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** An index of a list: a whole number of any type. Undefined: no such place. */
export function placeOf(frame: Frame, index: CelValue): number {
  if (typeof index === "bigint") return Number(index);
  if (typeof index === "number") {
    if (Number.isInteger(index)) return index;
    return raise("CEL_ARGUMENT", `a list has no place ${index}`, frame.at);
  }
  if (typeof index === "object" && index !== null && "cel" in index && index.cel === "uint") return Number(index.value);
  return raise("CEL_NO_SUCH_OVERLOAD", `a list is indexed by int, found ${typeOf(index)}`, frame.at);
}

/** Comparisons, membership, size and type. */
export const relations: NativeTable = [
  ["_==_/2", equals],
  ["_!=_/2", (frame, left, right) => !equals(frame, left, right)],
  ["_<_/2", (frame, left, right) => compare(frame, left, right) < 0],
  ["_<=_/2", (frame, left, right) => compare(frame, left, right) <= 0],
  ["_>_/2", (frame, left, right) => compare(frame, left, right) > 0],
  ["_>=_/2", (frame, left, right) => compare(frame, left, right) >= 0],
  ["_in_/2", isIn],
  ["!_/1", not],
  ["size/1", size],
  [".size/0", size],
  ["type/1", (_frame, value) => new TypeValue(typeOf(value))],
  ["dyn/1", (_frame, value) => value],
];
