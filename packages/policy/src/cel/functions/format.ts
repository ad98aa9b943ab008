import { raise } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { MapValue } from "../runtime/maps.ts";
import { typeOf } from "../runtime/types.ts";
import { Duration, isList, Timestamp, TypeValue, Uint } from "../runtime/values.ts";
import type { CelValue } from "../value.ts";
import { noOverload } from "./native.ts";
import { doubleText, durationText, timestampText } from "./spelling.ts";

const largestPrecision = 100;
const clause = /%(?:%|(?:\.(\d{1,4}))?([a-zA-Z]))?/g;

/** `"%s of %d".format([a, b])`. */
export function format(frame: Frame, template: CelValue, list: CelValue): CelValue {
  if (typeof template !== "string" || !isList(list)) return noOverload(frame, "format", template, list);
  frame.hold(template.length);
  let next = 0;
  return template.replace(clause, (text: string, precision: string | undefined, verb: string | undefined) => {
    if (text === "%%") return "%";
    if (verb === undefined) return bad(frame, "expected a verb after %");
    const value = list[next];
    next += 1;
    if (value === undefined) return bad(frame, `expected at least ${next} values`);
    const made = clauseText(frame, verb, precision === undefined ? undefined : Number(precision), value);
    frame.hold(made.length);
    return made;
  });
}

function bad(frame: Frame, message: string): never {
  return raise("CEL_ARGUMENT", message, frame.at);
}

function clauseText(frame: Frame, verb: string, precision: number | undefined, value: CelValue): string {
  if ((precision ?? 0) > largestPrecision) return bad(frame, `expected a precision of at most ${largestPrecision}`);
  switch (verb) {
    case "s":
      return shown(frame, value);
    case "d":
      return decimal(frame, value);
    case "f":
      return fraction(frame, value, (number) => fixed(number, precision ?? 6));
    case "e":
      return fraction(frame, value, (number) => exponent(number, precision ?? 6));
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : whole(frame, verb, value).toString(2);
    case "o":
      return whole(frame, verb, value).toString(8);
    case "x":
      return hexadecimal(frame, verb, value);
    case "X":
      return hexadecimal(frame, verb, value).toUpperCase();
    default:
      return bad(frame, `expected one of the verbs s, d, f, e, b, o, x, X, found ${verb}`);
  }
}

function whole(frame: Frame, verb: string, value: CelValue): bigint {
  if (typeof value === "bigint") return value;
  return value instanceof Uint ? value.value : bad(frame, `%${verb} does not take ${typeOf(value)}`);
}

function hexadecimal(frame: Frame, verb: string, value: CelValue): string {
  if (typeof value === "string" || value instanceof Uint8Array) {
    frame.hold(value.length * 6);
    return Buffer.from(value).toString("hex");
  }
  return whole(frame, verb, value).toString(16);
}

function decimal(frame: Frame, value: CelValue): string {
  if (typeof value === "number" && !Number.isFinite(value)) return spelled(value);
  return whole(frame, "d", value).toString();
}

function fraction(frame: Frame, value: CelValue, write: (number: number) => string): string {
  if (typeof value === "bigint" || value instanceof Uint) return write(Number(whole(frame, "f", value)));
  if (typeof value !== "number") return bad(frame, `%f and %e do not take ${typeOf(value)}`);
  return Number.isFinite(value) ? write(value) : spelled(value);
}

function spelled(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

/** Halves go to the even neighbour; `toFixed` takes them away from zero. */
function fixed(value: number, digits: number): string {
  const text =
    Math.abs(value) < 1e21 ? value.toFixed(digits) : `${BigInt(value)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
  if (digits > 15) return text;
  const scaled = Math.abs(value) * 10 ** digits;
  const floor = Math.floor(scaled);
  const isHalf = scaled - floor === 0.5 && scaled / 10 ** digits === Math.abs(value) && scaled < 2 ** 52;
  if (!isHalf || floor % 2 === 1) return text;
  return (((value < 0 ? -1 : 1) * floor) / 10 ** digits).toFixed(digits);
}

function exponent(value: number, digits: number): string {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
}

const utf8 = new TextDecoder();

/** A value as %s writes it. */
function shown(frame: Frame, value: CelValue): string {
  frame.spend(1);
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? doubleText(value) : spelled(value);
  if (value === null) return "null";
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Uint8Array) return utf8.decode(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof TypeValue) return value.name;
  if (isList(value))
    return `[${joined(
      frame,
      value.map((element) => shown(frame, element)),
    )}]`;
  if (!(value instanceof MapValue)) return bad(frame, `%s does not take ${typeOf(value)}`);
  const entries = [...value.entries.values()].map(
    ({ key, value: held }) => `${shown(frame, key)}: ${shown(frame, held)}`,
  );
  return `{${joined(frame, entries.sort())}}`;
}

function joined(frame: Frame, parts: readonly string[]): string {
  for (const part of parts) frame.hold(part.length + 2);
  return parts.join(", ");
}
