import type { CelMap, CelValue } from "../value.ts";
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

/** A map of entries; of one key given twice, the last counts. */
export function mapOfEntries(entries: readonly MapEntry[]): CelMap {
  return new BuiltMap(new Map(entries.map((entry) => [filedKey(entry.key) ?? "", entry])));
}

/** A map of values that expressions made, to be handed in again. */
export function mapOfValues(values: Readonly<Record<string, CelValue>>): CelMap {
  return new BuiltMap(new Map(Object.entries(values).map(([key, value]) => [`s${key}`, { key, value }])));
}
