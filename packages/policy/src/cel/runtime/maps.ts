import type { CelInput, CelMap, CelValue } from "../value.ts";
import { valueOf } from "./inputs.ts";
import { Uint } from "./values.ts";

/** An entry of a map. */
export interface MapEntry {
  readonly key: CelValue;
  readonly value: CelValue;
}

/** How a map files a key: whole numbers of every type are one, as equality demands. Undefined: no key. */
export function filedKey(key: CelValue): string | undefined {
  switch (typeof key) {
    case "string":
      return `s${key}`;
    case "bigint":
      return `n${key}`;
    case "boolean":
      return key ? "b1" : "b0";
    case "number":
      return Number.isInteger(key) ? `n${BigInt(key)}` : undefined;
    default:
      return key instanceof Uint ? `n${key.value}` : undefined;
  }
}

/** A map of CEL. Nothing of JavaScript's objects shows through. */
export abstract class MapValue implements CelMap {
  readonly cel = "map" as const;
  abstract readonly size: number;
  abstract readonly entries: ReadonlyMap<string, MapEntry>;
  /** The value at a key that is text. */
  abstract field(name: string): CelValue | undefined;
  abstract lookup(key: CelValue): CelValue | undefined;
}

/** A map that an expression made. */
export class BuiltMap extends MapValue {
  readonly entries: ReadonlyMap<string, MapEntry>;

  constructor(entries: ReadonlyMap<string, MapEntry>) {
    super();
    this.entries = entries;
  }

  get size(): number {
    return this.entries.size;
  }

  field(name: string): CelValue | undefined {
    return this.entries.get(`s${name}`)?.value;
  }

  lookup(key: CelValue): CelValue | undefined {
    const filed = filedKey(key);
    return filed === undefined ? undefined : this.entries.get(filed)?.value;
  }
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

/** A map of values that expressions made, to be handed in again. */
export function mapOfValues(values: Readonly<Record<string, CelValue>>): CelMap {
  return new BuiltMap(new Map(Object.entries(values).map(([key, value]) => [`s${key}`, { key, value }])));
}
