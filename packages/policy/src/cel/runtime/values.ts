import type { CelDuration, CelOptional, CelTimestamp, CelType, CelUint, CelValue } from "../value.ts";

/** Unsigned 64-bit number. */
export class Uint implements CelUint {
  readonly cel = "uint" as const;
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** Nanoseconds since 1970 in UTC. */
export class Timestamp implements CelTimestamp {
  readonly cel = "timestamp" as const;
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** Nanoseconds. */
export class Duration implements CelDuration {
  readonly cel = "duration" as const;
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

/** A type as a value. */
export class TypeValue implements CelType {
  readonly cel = "type" as const;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value or none. */
export class Optional implements CelOptional {
  readonly cel = "optional" as const;
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** The optional that holds nothing. */
export const none: Optional = new Optional(undefined);

/** Bounds of the 64-bit types. */
export const int64Minimum: bigint = -(2n ** 63n);
export const int64Maximum: bigint = 2n ** 63n - 1n;
export const uint64Maximum: bigint = 2n ** 64n - 1n;

/** Bounds of times (years 1 to 9999) and durations (about 292 years), in nanoseconds. */
export const earliest: bigint = -62_135_596_800n * 1_000_000_000n;
export const latest: bigint = 253_402_300_799n * 1_000_000_000n + 999_999_999n;
export const longest: bigint = 2n ** 63n - 1n;

/** True for lists: `Array.isArray` knows nothing of readonly ones. */
export function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value);
}
