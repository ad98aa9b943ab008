import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { Duration, Timestamp, TypeValue, Uint } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { duration, int, timestamp, uint } from "./arithmetic.ts";
import { type NativeTable, noOverload } from "./native.ts";
import { doubleText, durationText, readDuration, readTimestamp, timestampText } from "./spelling.ts";

const billion = 1_000_000_000n;

function toInt(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "bigint") return value;
  if (value instanceof Uint) return int(frame, value.value);
  if (typeof value === "number") return int(frame, truncated(frame, value, -(2 ** 63)));
  if (value instanceof Timestamp) return floorDivide(value.nanoseconds, billion);
  if (value instanceof Duration) return value.nanoseconds / billion;
  if (typeof value !== "string") return noOverload(frame, "int", value);
  if (!/^[+-]?[0-9]{1,40}$/.test(value)) return noConversion(frame, "an int", value);
  return int(frame, BigInt(value.startsWith("+") ? value.slice(1) : value));
}

function toUint(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Uint) return value;
  if (typeof value === "bigint") return uint(frame, value);
  if (typeof value === "number") return uint(frame, truncated(frame, value, -1));
  if (typeof value !== "string") return noOverload(frame, "uint", value);
  if (!/^\+?[0-9]{1,40}$/.test(value)) return noConversion(frame, "a uint", value);
  return uint(frame, BigInt(value));
}

/** The whole part of a double; `bound` itself is refused, for rounding may have brought it there. */
function truncated(frame: Frame, value: number, bound: number): bigint {
  if (!Number.isFinite(value) || value <= bound || (bound !== -1 && value >= 2 ** 63)) {
    raise("CEL_OVERFLOW", "the number has no counterpart of 64 bits", frame.at);
  }
  return BigInt(Math.trunc(value));
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function toDouble(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value !== "string") return noOverload(frame, "double", value);
  const named = namedDoubles.get(value.toLowerCase());
  if (named !== undefined) return named;
  frame.read(value.length);
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value)) {
    return noConversion(frame, "a double", value);
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : raise("CEL_OVERFLOW", "the number is no double", frame.at);
}

const namedDoubles: ReadonlyMap<string, number> = new Map(
  ["nan", "+inf", "inf", "infinity", "+infinity", "-inf", "-infinity"].map((name) => {
    const infinite = name.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return [name, name === "nan" ? Number.NaN : infinite];
  }),
);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function toText(frame: Frame, value: CelValue): CelValue {
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
    case "boolean":
      return String(value);
    case "number":
      return doubleText(value);
    default:
  }
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return noOverload(frame, "string", value);
  if (!(value instanceof Uint8Array)) return noOverload(frame, "string", value);
  frame.hold(value.length);
  try {
    return decoder.decode(value);
  } catch {
    return raise("CEL_CONVERSION", "expected bytes of UTF-8", frame.at);
  }
}

function toBytes(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") return noOverload(frame, "bytes", value);
  frame.hold(value.length * 3);
  return new TextEncoder().encode(value);
}

function toBool(frame: Frame, value: CelValue): CelValue {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return noOverload(frame, "bool", value);
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  return noConversion(frame, "a bool", value);
}

function toTimestamp(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Timestamp) return value;
  if (typeof value === "bigint") return timestamp(frame, value * billion);
  if (typeof value !== "string") return noOverload(frame, "timestamp", value);
  frame.spend(5);
  const nanoseconds = readTimestamp(value);
  return nanoseconds === undefined ? noConversion(frame, "a time of RFC 3339", value) : timestamp(frame, nanoseconds);
}

function toDuration(frame: Frame, value: CelValue): CelValue {
  if (value instanceof Duration) return value;
  if (typeof value === "bigint") return duration(frame, value * billion);
  if (typeof value !== "string") return noOverload(frame, "duration", value);
  frame.spend(5);
  const nanoseconds = readDuration(value);
  return nanoseconds === undefined ? noConversion(frame, "a duration like 1h30m", value) : duration(frame, nanoseconds);
}

function noConversion(frame: Frame, expected: string, found: string): never {
  const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
  return raise("CEL_CONVERSION", `expected ${expected}, found \`${shown}\``, frame.at);
}

/** Functions that carry a value over to another type. */
export const conversions: NativeTable = [
  ["int/1", toInt],
  ["uint/1", toUint],
  ["double/1", toDouble],
  ["string/1", toText],
  ["bytes/1", toBytes],
  ["bool/1", toBool],
  ["timestamp/1", toTimestamp],
  ["duration/1", toDuration],
];
