import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { MapValue } from "../runtime/maps.ts";
import { Duration, isList, none, Optional, Timestamp, Uint } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { type NativeTable, noOverload } from "./native.ts";

function isZero(value: CelValue): boolean {
  switch (typeof value) {
    case "boolean":
      return !value;
    case "bigint":
      return value === 0n;
    case "number":
      return value === 0;
    case "string":
      return value === "";
    default:
  }
  if (value === null) return true;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof MapValue) return value.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration || value instanceof Timestamp) return value.nanoseconds === 0n;
  return value instanceof Optional && value.value === undefined;
}

function optional(frame: Frame, name: string, value: CelValue): Optional {
  return value instanceof Optional ? value : noOverload(frame, name, value);
}

function valueIn(frame: Frame, value: CelValue): CelValue {
  const held = optional(frame, "value", value).value;
  return held === undefined ? raise("CEL_NONE", "the optional holds no value", frame.at) : held;
}

/** Functions of optional values; `or` and `orValue`, which may leave their argument alone, are the evaluator's. */
export const optionals: NativeTable = [
  ["optional.of/1", (_frame, value) => new Optional(value)],
  ["optional.ofNonZeroValue/1", (_frame, value) => (isZero(value) ? none : new Optional(value))],
  ["optional.none/0", () => none],
  [".hasValue/0", (frame, value) => optional(frame, "hasValue", value).value !== undefined],
  [".value/0", valueIn],
  ["optional.unwrap/1", (frame, value) => unwrap(frame, value)],
  [".unwrapOpt/0", (frame, value) => unwrap(frame, value)],
];

/** The values of those optionals of a list that hold one. */
function unwrap(frame: Frame, value: CelValue): CelValue {
  if (!isList(value)) return noOverload(frame, "unwrap", value);
  frame.hold(value.length);
  const values = value.map((element) => optional(frame, "unwrap", element).value);
  return values.filter((element) => element !== undefined);
}
