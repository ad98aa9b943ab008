import { numberOf } from "../runtime/equality.ts";
import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { compare } from "../runtime/ordering.ts";
import { isList, Uint } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { int, uint } from "./arithmetic.ts";
import { type Native, type NativeTable, noOverload } from "./native.ts";

function extreme(name: string, sign: number): Native {
  return (frame, all) => {
    let values = isList(all) ? all : [all];
    const [only] = values;
    if (values.length === 1 && only !== undefined && isList(only)) values = only;
    let best: CelValue | undefined;
    for (const value of values) {
      if (numberOf(value) === undefined) return noOverload(frame, name, value);
      if (best === undefined || compare(frame, value, best) * sign > 0) best = value;
    }
    return best ?? raise("CEL_ARGUMENT", `\`${name}\` needs a number`, frame.at);
  };
}

function ofDouble(name: string, work: (value: number) => number | boolean): Native {
  return (frame, value) => (typeof value === "number" ? work(value) : noOverload(frame, name, value));
}

/** Halves away from zero. */
function round(value: number): number {
  const magnitude = Math.abs(value);
  const whole = Math.trunc(magnitude);
  const rounded = magnitude - whole >= 0.5 ? whole + 1 : whole;
  return value < 0 ? -rounded : rounded;
}

function abs(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "bigint") return int(frame, value < 0n ? -value : value);
  if (typeof value === "number") return Math.abs(value);
  return value instanceof Uint ? value : noOverload(frame, "math.abs", value);
}

function sign(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "bigint") return BigInt(Number(value > 0n) - Number(value < 0n));
  if (typeof value === "number") return Math.sign(value);
  return value instanceof Uint ? new Uint(value.value > 0n ? 1n : 0n) : noOverload(frame, "math.sign", value);
}

function sqrt(frame: Frame, value: CelValue): CelValue {
  const number = numberOf(value);
  return number === undefined ? noOverload(frame, "math.sqrt", value) : Math.sqrt(Number(number));
}

function bitwise(name: string, work: (left: bigint, right: bigint) => bigint): Native {
  return (frame, left, right) => {
    if (typeof left === "bigint" && typeof right === "bigint") return work(left, right);
    if (left instanceof Uint && right instanceof Uint) return new Uint(work(left.value, right.value));
    return noOverload(frame, name, left, right);
  };
}

function bitNot(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "bigint") return ~value;
  return value instanceof Uint ? new Uint(BigInt.asUintN(64, ~value.value)) : noOverload(frame, "math.bitNot", value);
}

function shift(name: string, isLeft: boolean): Native {
  return (frame, value, by) => {
    if (typeof by !== "bigint") return noOverload(frame, name, value, by);
    if (by < 0n) raise("CEL_ARGUMENT", `expected bits to shift by, found ${by}`, frame.at);
    const bits = by > 63n ? 64n : by;
    const shifted = (of: bigint): bigint => (isLeft ? of << bits : of >> bits);
    if (typeof value === "bigint") return BigInt.asIntN(64, shifted(isLeft ? value : BigInt.asUintN(64, value)));
    if (value instanceof Uint) return uint(frame, BigInt.asUintN(64, shifted(value.value)));
    return noOverload(frame, name, value, by);
  };
}

/** Functions of numbers. */
export const math: NativeTable = [
  ["math.greatest/*", extreme("math.greatest", 1)],
  ["math.least/*", extreme("math.least", -1)],
  ["math.ceil/1", ofDouble("math.ceil", Math.ceil)],
  ["math.floor/1", ofDouble("math.floor", Math.floor)],
  ["math.round/1", ofDouble("math.round", round)],
  ["math.trunc/1", ofDouble("math.trunc", Math.trunc)],
  ["math.isNaN/1", ofDouble("math.isNaN", Number.isNaN)],
  ["math.isInf/1", ofDouble("math.isInf", (value) => Math.abs(value) === Number.POSITIVE_INFINITY)],
  ["math.isFinite/1", ofDouble("math.isFinite", Number.isFinite)],
  ["math.abs/1", abs],
  ["math.sign/1", sign],
  ["math.sqrt/1", sqrt],
  ["math.bitAnd/2", bitwise("math.bitAnd", (left, right) => left & right)],
  ["math.bitOr/2", bitwise("math.bitOr", (left, right) => left | right)],
  ["math.bitXor/2", bitwise("math.bitXor", (left, right) => left ^ right)],
  ["math.bitNot/1", bitNot],
  ["math.bitShiftLeft/2", shift("math.bitShiftLeft", true)],
  ["math.bitShiftRight/2", shift("math.bitShiftRight", false)],
];
