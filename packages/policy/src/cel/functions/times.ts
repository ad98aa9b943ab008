import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { Duration, Timestamp } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type Native, type NativeTable, noOverload } from "./native.ts";
import { offsetSeconds } from "./zones.ts";

const billion = 1_000_000_000n;

/** Reads a part of a time in a zone; UTC where none is named. */
function part(name: string, read: (date: Date) => number, ofDuration?: (nanoseconds: bigint) => bigint): Native {
  return (frame, value, zone) => {
    if (value instanceof Duration && ofDuration !== undefined && zone === null) return ofDuration(value.nanoseconds);
    if (!(value instanceof Timestamp)) return noOverload(frame, name, value);
    return BigInt(read(dateIn(frame, name, value, zone)));
  };
}

function dateIn(frame: Frame, name: string, value: Timestamp, zone: CelValue): Date {
  const milliseconds = Number(floorDivide(value.nanoseconds, 1_000_000n));
  if (zone === null) return new Date(milliseconds);
  if (typeof zone !== "string") return noOverload(frame, name, value, zone);
  frame.spend(25);
  const offset = offsetSeconds(zone, milliseconds);
  if (offset === undefined)
    return raise("CEL_ARGUMENT", `expected a time zone, found \`${zone.slice(0, 60)}\``, frame.at);
  return new Date(milliseconds + offset * 1000);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function dayOfYear(date: Date): number {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / 86_400_000);
}

function both(name: string, native: Native): NativeTable {
  return [
    [`.${name}/0`, native],
    [`.${name}/1`, native],
  ];
}

/** Parts of times and durations. */
export const times: NativeTable = [
  ...both(
    "getFullYear",
    part("getFullYear", (date) => date.getUTCFullYear()),
  ),
  ...both(
    "getMonth",
    part("getMonth", (date) => date.getUTCMonth()),
  ),
  ...both(
    "getDate",
    part("getDate", (date) => date.getUTCDate()),
  ),
  ...both(
    "getDayOfMonth",
    part("getDayOfMonth", (date) => date.getUTCDate() - 1),
  ),
  ...both(
    "getDayOfWeek",
    part("getDayOfWeek", (date) => date.getUTCDay()),
  ),
  ...both("getDayOfYear", part("getDayOfYear", dayOfYear)),
  ...both(
    "getHours",
    part(
      "getHours",
      (date) => date.getUTCHours(),
      (length) => length / (3600n * billion),
    ),
  ),
  ...both(
    "getMinutes",
    part(
      "getMinutes",
      (date) => date.getUTCMinutes(),
      (length) => length / (60n * billion),
    ),
  ),
  ...both(
    "getSeconds",
    part(
      "getSeconds",
      (date) => date.getUTCSeconds(),
      (length) => length / billion,
    ),
  ),
  ...both(
    "getMilliseconds",
    part(
      "getMilliseconds",
      (date) => date.getUTCMilliseconds(),
      (length) => (length % billion) / 1_000_000n,
    ),
  ),
];
