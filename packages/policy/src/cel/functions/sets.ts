import { equals } from "../runtime/equality.ts";
import type { Frame } from "../runtime/frame.ts";
import { isList } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

type List = readonly CelValue[];

function lists(frame: Frame, name: string, left: CelValue, right: CelValue): readonly [List, List] {
  return isList(left) && isList(right) ? [left, right] : noOverload(frame, name, left, right);
}

function holds(frame: Frame, list: List, value: CelValue): boolean {
  for (const element of list) {
    frame.spend(1);
    if (equals(frame, element, value)) return true;
  }
  return false;
}

function contains(frame: Frame, left: CelValue, right: CelValue): boolean {
  const [list, part] = lists(frame, "sets.contains", left, right);
  return part.every((value) => holds(frame, list, value));
}

function equivalent(frame: Frame, left: CelValue, right: CelValue): boolean {
  return contains(frame, left, right) && contains(frame, right, left);
}

function intersects(frame: Frame, left: CelValue, right: CelValue): boolean {
  const [one, other] = lists(frame, "sets.intersects", left, right);
  return one.some((value) => holds(frame, other, value));
}

/** Lists looked at as sets. */
export const sets: NativeTable = [
  ["sets.contains/2", contains],
  ["sets.equivalent/2", equivalent],
  ["sets.intersects/2", intersects],
];
