import type { FactoryError } from "@touchmark/core";

/** A failure that may pass when asked again; holds the error to raise when it does not. */
export class Transient extends Error {
  readonly failure: FactoryError;
  /** Milliseconds that upstream asked to wait. */
  readonly afterMs: number | undefined;

  constructor(failure: FactoryError, afterMs?: number) {
    super(failure.message);
    this.failure = failure;
    this.afterMs = afterMs;
  }
}
