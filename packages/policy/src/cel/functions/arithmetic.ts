import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import {
  Duration,
  earliest,
  int64Maximum,
  int64Minimum,
  isList,
  latest,
  longest,
  Timestamp,
  Uint,
  uint64Maximum,
} from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

/** An int, if it is within 64 bits. */
export function int(frame: Frame, value: bigint): bigint {
  if (value >= int64Minimum && value <= int64Maximum) return value;
  return raise("CEL_OVERFLOW", "the result is no int of 64 bits", frame.at);
}

/** A uint, if it is within 64 bits. */
export function uint(frame: Frame, value: bigint): Uint {
  if (value >= 0n && value <= uint64Maximum) return new Uint(value);
  return raise("CEL_OVERFLOW", "the result is no uint of 64 bits", frame.at);
}

/** A time, if it is of the years 1 to 9999. */
export function timestamp(frame: Frame, nanoseconds: bigint): Timestamp {
  if (nanoseconds >= earliest && nanoseconds <= latest) return new Timestamp(nanoseconds);
  return raise("CEL_OVERFLOW", "the time lies outside of the years 1 to 9999", frame.at);
}

/** A duration, if it is within the bounds of the type. */
export function duration(frame: Frame, nanoseconds: bigint): Duration {
  if (nanoseconds >= -longest && nanoseconds <= longest) return new Duration(nanoseconds);
  return raise("CEL_OVERFLOW", "the duration is longer than 292 years", frame.at);
}

function add(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(frame, left + right);
  if (typeof left === "string" && typeof right === "string") {
    frame.hold(left.length + right.length);
    return left + right;
  }
  if (typeof left === "number" && typeof right === "number") return left + right;
  if (left instanceof Uint && right instanceof Uint) return uint(frame, left.value + right.value);
  if (isList(left) && isList(right)) {
    frame.hold(left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    frame.hold(left.length + right.length);
    return Uint8Array.from([...left, ...right]);
  }
  return addTimes(frame, left, right);
}

function addTimes(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (left instanceof Duration) {
    if (right instanceof Duration) return duration(frame, left.nanoseconds + right.nanoseconds);
    if (right instanceof Timestamp) return timestamp(frame, left.nanoseconds + right.nanoseconds);
  }
  if (left instanceof Timestamp && right instanceof Duration) {
    return timestamp(frame, left.nanoseconds + right.nanoseconds);
  }
  return noOverload(frame, "+", left, right);
}

function subtract(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(frame, left - right);
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (left instanceof Uint && right instanceof Uint) return uint(frame, left.value - right.value);
  if (left instanceof Timestamp) {
    if (right instanceof Timestamp) return duration(frame, left.nanoseconds - right.nanoseconds);
    if (right instanceof Duration) return timestamp(frame, left.nanoseconds - right.nanoseconds);
  }
  if (left instanceof Duration && right instanceof Duration) {
    return duration(frame, left.nanoseconds - right.nanoseconds);
  }
  return noOverload(frame, "-", left, right);
}

function multiply(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(frame, left * right);
  if (typeof left === "number" && typeof right === "number") return left * right;
  if (left instanceof Uint && right instanceof Uint) return uint(frame, left.value * right.value);
  return noOverload(frame, "*", left, right);
}

function divide(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (typeof left === "number" && typeof right === "number") return left / right;
  if (typeof left === "bigint" && typeof right === "bigint") return int(frame, left / divisor(frame, right));
  if (left instanceof Uint && right instanceof Uint) return uint(frame, left.value / divisor(frame, right.value));
  return noOverload(frame, "/", left, right);
}

function modulo(frame: Frame, left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return left % divisor(frame, right);
  if (left instanceof Uint && right instanceof Uint) return uint(frame, left.value % divisor(frame, right.value));
  return noOverload(frame, "%", left, right);
}

function divisor(frame: Frame, value: bigint): bigint {
  if (value === 0n) raise("CEL_DIVIDE_BY_ZERO", "divided by zero", frame.at);
  return value;
}

function negate(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "bigint") return int(frame, -value);
  if (typeof value === "number") return -value;
  if (value instanceof Duration) return duration(frame, -value.nanoseconds);
  return noOverload(frame, "-", value);
}

/** Operators that make numbers, times, text and lists. */
export const arithmetic: NativeTable = [
  ["_+_/2", add],
  ["_-_/2", subtract],
  ["_*_/2", multiply],
  ["_/_/2", divide],
  ["_%_/2", modulo],
  ["-_/1", negate],
];
