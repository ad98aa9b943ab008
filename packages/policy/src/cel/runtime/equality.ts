import type { CelValue } from "../value.ts";
import type { Frame } from "./frame.ts";
import { MapValue } from "./maps.ts";
import { Duration, isList, Optional, Timestamp, TypeValue, Uint } from "./values.ts";

/** Whether two values are equal: numbers by value whatever their type, everything else within its type. */
export function equals(frame: Frame, left: CelValue, right: CelValue): boolean {
  if (typeof left === "string") {
    if (typeof right !== "string") return false;
    if (left.length === right.length && left.length > 64) frame.read(left.length);
    return left === right;
  }
  if (typeof left === "boolean" || left === null) return left === right;
  const number = numberOf(left);
  if (number !== undefined) {
    const other = numberOf(right);
    return other !== undefined && sameNumber(number, other);
  }
  return typeof right === "object" && right !== null && equalObjects(frame, left, right);
}

/** The number that an int, uint or double is. */
export function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Beside a double, a whole number is the double nearest to it, as the specification has it. */
function sameNumber(left: bigint | number, right: bigint | number): boolean {
  return typeof left === typeof right ? left === right : Number(left) === Number(right);
}

function equalObjects(frame: Frame, left: CelValue, right: CelValue & object): boolean {
  frame.spend(1);
  if (isList(left)) return isList(right) && equalLists(frame, left, right);
  if (left instanceof MapValue) return right instanceof MapValue && equalMaps(frame, left, right);
  if (left instanceof Uint8Array) return right instanceof Uint8Array && equalBytes(frame, left, right);
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanoseconds === right.nanoseconds;
  if (left instanceof Duration) return right instanceof Duration && left.nanoseconds === right.nanoseconds;
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name;
  if (!(left instanceof Optional && right instanceof Optional)) return false;
  if (left.value === undefined || right.value === undefined) return left.value === right.value;
  return equals(frame, left.value, right.value);
}

function equalBytes(frame: Frame, left: Uint8Array, right: Uint8Array): boolean {
  frame.read(left.length);
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function equalLists(frame: Frame, left: readonly CelValue[], right: readonly CelValue[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    frame.spend(1);
    if (!equals(frame, left[index] ?? null, right[index] ?? null)) return false;
  }
  return true;
}

function equalMaps(frame: Frame, left: MapValue, right: MapValue): boolean {
  if (left.size !== right.size) return false;
  for (const { key, value } of left.entries.values()) {
    frame.spend(1);
    const other = right.lookup(key);
    if (other === undefined || !equals(frame, value, other)) return false;
  }
  return true;
}
