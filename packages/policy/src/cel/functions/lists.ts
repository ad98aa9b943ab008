import { equals } from "../runtime/equality.ts";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { filedKey } from "../runtime/maps.ts";
import { compare } from "../runtime/ordering.ts";
import { isList, none, Optional } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

type List = readonly CelValue[];

function list(frame: Frame, name: string, value: CelValue): List {
  return isList(value) ? value : noOverload(frame, name, value);
}

function slice(frame: Frame, value: CelValue, from: CelValue, to: CelValue): CelValue {
  const elements = list(frame, "slice", value);
  if (typeof from !== "bigint" || typeof to !== "bigint") return noOverload(frame, "slice", value, from, to);
  if (from < 0n || to < from || to > BigInt(elements.length)) {
    raise("CEL_INDEX", `expected places within 0 to ${elements.length}, found ${from} to ${to}`, frame.at);
  }
  frame.hold(Number(to - from));
  return elements.slice(Number(from), Number(to));
}

function flatten(frame: Frame, value: CelValue, depth: CelValue): CelValue {
  if (typeof depth !== "bigint") return noOverload(frame, "flatten", value, depth);
  if (depth < 0n) raise("CEL_ARGUMENT", `expected a depth of 0 or more, found ${depth}`, frame.at);
  const flat: CelValue[] = [];
  const visit = (elements: List, levels: bigint): void => {
    frame.hold(elements.length);
    for (const element of elements) {
      if (isList(element) && levels > 0n) visit(element, levels - 1n);
      else flat.push(element);
    }
  };
  visit(list(frame, "flatten", value), depth);
  return flat;
}

function range(frame: Frame, end: CelValue): CelValue {
  if (typeof end !== "bigint") return noOverload(frame, "lists.range", end);
  frame.hold(Math.max(0, Number(end)));
  return Array.from({ length: Math.max(0, Number(end)) }, (_, index) => BigInt(index));
}

function distinct(frame: Frame, value: CelValue): CelValue {
  const elements = list(frame, "distinct", value);
  frame.hold(elements.length);
  const filed = new Set<string>();
  const others: CelValue[] = [];
  return elements.filter((element) => {
    const key = filedKey(element);
    if (key !== undefined) return filed.has(key) ? false : filed.add(key) !== undefined;
    frame.spend(others.length);
    if (others.some((other) => equals(frame, other, element))) return false;
    others.push(element);
    return true;
  });
}

function reverse(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "string") {
    frame.hold(value.length);
    return Array.from(value).reverse().join("");
  }
  const elements = list(frame, "reverse", value);
  frame.hold(elements.length);
  return [...elements].reverse();
}

function sort(frame: Frame, value: CelValue): CelValue {
  const elements = list(frame, "sort", value);
  return sorted(frame, elements, elements);
}

/** Elements in the order of their keys. Keys of several types have no order. */
export function sorted(frame: Frame, elements: List, keys: List): CelValue {
  frame.hold(elements.length * 2);
  for (const key of keys) compare(frame, key, keys[0] ?? null);
  const order = elements.map((_, index) => index);
  const at = (index: number): CelValue => keys[index] ?? null;
  order.sort((left, right) => {
    frame.spend(1);
    return compare(frame, at(left), at(right)) || left - right;
  });
  return order.map((index) => elements[index] ?? null);
}

function end(frame: Frame, value: CelValue, place: number): CelValue {
  const element = list(frame, "first", value).at(place);
  return element === undefined ? none : new Optional(element);
}

/** Functions of lists. */
export const lists: NativeTable = [
  [".slice/2", slice],
  [".flatten/0", (frame, value) => flatten(frame, value, 1n)],
  [".flatten/1", flatten],
  ["lists.range/1", range],
  [".distinct/0", distinct],
  [".reverse/0", reverse],
  [".sort/0", sort],
  [".first/0", (frame, value) => end(frame, value, 0)],
  [".last/0", (frame, value) => end(frame, value, -1)],
];
