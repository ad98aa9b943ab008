import type { CelInput, CelValue } from "../value.ts";
import { raise } from "./fault.ts";
import { MapValue, ObjectMap } from "./maps.ts";
import { Duration, earliest, latest, Optional, Timestamp, TypeValue, Uint } from "./values.ts";

/** What a variable may be given: plain input, or a value of an earlier evaluation other than a list. */
export type VariableInput = CelInput | CelValue;

/** A value of CEL out of what a caller handed in. Objects are looked into only when asked. */
export function valueOf(input: VariableInput): CelValue {
  switch (typeof input) {
    case "string":
    case "boolean":
    case "bigint":
      return input;
    case "number":
      return Number.isSafeInteger(input) ? BigInt(input) : input;
    default:
      return input === null ? null : valueOfObject(input);
  }
}

function valueOfObject(input: object): CelValue {
  if (Array.isArray(input)) {
    const values: CelValue[] = [];
    for (const element of input as readonly (CelInput | undefined)[]) values.push(valueOf(element ?? null));
    return values;
  }
  if (input instanceof Uint8Array) return input;
  if (input instanceof Date) return timestampOfDate(input);
  if (isOwnValue(input)) return input;
  return new ObjectMap(input as { readonly [name: string]: CelInput | undefined });
}

/** By class, never by shape: a document must not pass itself off as a time. */
function isOwnValue(input: object): input is CelValue & object {
  return (
    input instanceof MapValue ||
    input instanceof Uint ||
    input instanceof Timestamp ||
    input instanceof Duration ||
    input instanceof Optional ||
    input instanceof TypeValue
  );
}

function timestampOfDate(date: Date): Timestamp {
  const milliseconds = date.getTime();
  if (!Number.isFinite(milliseconds)) raise("CEL_CONVERSION", "expected a date, found an invalid one");
  const nanoseconds = BigInt(milliseconds) * 1_000_000n;
  if (nanoseconds < earliest || nanoseconds > latest) raise("CEL_OVERFLOW", "expected a date of the years 1 to 9999");
  return new Timestamp(nanoseconds);
}

/** Variables converted once, for many expressions over the same documents. */
export class PreparedVariables {
  readonly #inputs: Readonly<Record<string, VariableInput | undefined>>;
  readonly #base: PreparedVariables | undefined;
  readonly #values = new Map<string, CelValue>();

  constructor(inputs: Readonly<Record<string, VariableInput | undefined>>, base?: PreparedVariables) {
    this.#inputs = inputs;
    this.#base = base;
  }

  /** The same variables, and more: those given here hide those before. */
  with(inputs: Readonly<Record<string, VariableInput | undefined>>): PreparedVariables {
    return new PreparedVariables(inputs, this);
  }

  /** The value of a variable; undefined where none was given. */
  get(name: string): CelValue | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const input = Object.hasOwn(this.#inputs, name) ? this.#inputs[name] : undefined;
    if (input === undefined) return this.#base?.get(name);
    const value = valueOf(input);
    this.#values.set(name, value);
    return value;
  }
}

/** Converts variables for many evaluations: each at its first use, and once. */
export function prepareVariables(inputs: Readonly<Record<string, VariableInput | undefined>>): PreparedVariables {
  return new PreparedVariables(inputs);
}
