import type { FactoryError } from "@touchmark/core";

const waits = new WeakMap<object, number>();

/** Says with an error after how many seconds the same may be asked again. */
export function retryLater(error: FactoryError, seconds: number): FactoryError {
  waits.set(error, seconds);
  return error;
}

/** Seconds to wait, for `Retry-After`; undefined when the error says nothing. */
export function retryAfterOf(error: object): number | undefined {
  return waits.get(error);
}
