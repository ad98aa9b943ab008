import type { CelValue } from "../value.ts";
import { numberOf } from "./equality.ts";
import { raise } from "./fault.ts";
import type { Frame } from "./frame.ts";
import { typeOf } from "./types.ts";
import { Duration, Timestamp } from "./values.ts";

/** Order of two values: negative, zero, positive; NaN where a number is none. Raises where the types have no order. */
export function compare(frame: Frame, left: CelValue, right: CelValue): number {
  const number = numberOf(left);
  if (number !== undefined) {
    const other = numberOf(right);
    if (other !== undefined) return orderOf(number, other);
  } else if (typeof left === "string" && typeof right === "string") {
    frame.read(Math.min(left.length, right.length));
    return compareText(left, right);
  } else if (typeof left === "boolean" && typeof right === "boolean") {
    return Number(left) - Number(right);
  } else if (left instanceof Uint8Array && right instanceof Uint8Array) {
    frame.read(Math.min(left.length, right.length));
    return Buffer.compare(left, right);
  } else if (left instanceof Timestamp && right instanceof Timestamp) {
    return orderOf(left.nanoseconds, right.nanoseconds);
  } else if (left instanceof Duration && right instanceof Duration) {
    return orderOf(left.nanoseconds, right.nanoseconds);
  }
  return raise("CEL_NO_SUCH_OVERLOAD", `${typeOf(left)} and ${typeOf(right)} have no order`, frame.at);
}

function orderOf(left: bigint | number, right: bigint | number): number {
  if (typeof left !== typeof right) return orderOf(Number(left), Number(right));
  if (left < right) return -1;
  if (left > right) return 1;
  return left <= right ? 0 : Number.NaN;
}

/** By code points, which for characters beyond the first plane is not the order of UTF-16 units. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const isSurrogateA = a >= 0xd800 && a <= 0xdfff;
    const isSurrogateB = b >= 0xd800 && b <= 0xdfff;
    return isSurrogateA === isSurrogateB ? a - b : Number(isSurrogateA) - Number(isSurrogateB);
  }
  return left.length - right.length;
}
