import type { CelInput, CelValue } from "../value.ts";
import { raise } from "./fault.ts";
import { type MapEntry, MapValue } from "./maps.ts";
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

/** An object of JSON, converted member by member when asked for, and each but once. */
export class ObjectMap extends MapValue {
  readonly #source: { readonly [name: string]: CelInput | undefined };
  #converted: Map<string, CelValue> | undefined;
  #entries: ReadonlyMap<string, MapEntry> | undefined;
  #size: number | undefined;

  constructor(source: { readonly [name: string]: CelInput | undefined }) {
    super();
    this.#source = source;
  }

  get size(): number {
    this.#size ??= Object.keys(this.#source).filter((name) => this.#source[name] !== undefined).length;
    return this.#size;
  }

  get entries(): ReadonlyMap<string, MapEntry> {
    if (this.#entries !== undefined) return this.#entries;
    const entries = new Map<string, MapEntry>();
    for (const name of Object.keys(this.#source)) {
      const value = this.field(name);
      if (value !== undefined) entries.set(`s${name}`, { key: name, value });
    }
    this.#entries = entries;
    return entries;
  }

  field(name: string): CelValue | undefined {
    if (!Object.hasOwn(this.#source, name)) return undefined;
    const input = this.#source[name];
    if (input === undefined) return undefined;
    if (typeof input !== "object" || input === null) return valueOf(input);
    const known = this.#converted?.get(name);
    if (known !== undefined) return known;
    const value = valueOf(input);
    this.#converted ??= new Map();
    this.#converted.set(name, value);
    return value;
  }

  lookup(key: CelValue): CelValue | undefined {
    return typeof key === "string" ? this.field(key) : undefined;
  }
}
