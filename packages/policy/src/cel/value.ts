/**
 * Values of CEL as JavaScript has them: `bigint` is int, `CelUint` is uint, `number` is double; objects of JSON are
 * `Map`s once inside, so that no prototype is ever looked at.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelType
  | CelOptional
  | readonly CelValue[]
  | CelMap;

/** Unsigned 64-bit number. */
export interface CelUint {
  readonly cel: "uint";
  readonly value: bigint;
}
/** Nanoseconds since 1970 in UTC. */
export interface CelTimestamp {
  readonly cel: "timestamp";
  readonly nanoseconds: bigint;
}
/** Nanoseconds. */
export interface CelDuration {
  readonly cel: "duration";
  readonly nanoseconds: bigint;
}
/** A type as a value: `int`, `list`, … */
export interface CelType {
  readonly cel: "type";
  readonly name: string;
}
/** A value or none (`optional.of`, `?.`). */
export interface CelOptional {
  readonly cel: "optional";
  readonly value: CelValue | undefined;
}
/** A map; keys by their kind and value. */
export interface CelMap {
  readonly cel: "map";
  readonly entries: ReadonlyMap<string, { readonly key: CelValue; readonly value: CelValue }>;
}

/** What a caller hands in: JSON, dates, bytes. Whole numbers within the exact range become int, others double. */
export type CelInput =
  | null
  | boolean
  | bigint
  | number
  | string
  | Date
  | Uint8Array
  | readonly CelInput[]
  | { readonly [name: string]: CelInput | undefined };
