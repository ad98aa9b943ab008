import type { CelErrorCode } from "../errors.ts";
import type { Span } from "../syntax/node.ts";

/** Why an evaluation has no value. Thrown inside, never outside; without a stack, for speed. */
export class Fault {
  readonly code: CelErrorCode;
  readonly message: string;
  readonly at: Span | undefined;

  constructor(code: CelErrorCode, message: string, at?: Span) {
    this.code = code;
    this.message = message;
    this.at = at;
  }

  /** `&&`, `||`, `all` and `exists` may look past it. A spent budget ends everything. */
  get isAbsorbable(): boolean {
    return this.code !== "CEL_COST" && this.code !== "CEL_MEMORY" && this.code !== "CEL_INTERNAL";
  }
}

/** Throws a fault. */
export function raise(code: CelErrorCode, message: string, at?: Span): never {
  const thrown: unknown = new Fault(code, message, at);
  throw thrown;
}

/** The fault that was caught, where others may make up for it; thrown on otherwise. */
export function absorbable(caught: unknown): Fault {
  if (caught instanceof Fault && caught.isAbsorbable) return caught;
  throw caught;
}

/** Throws a fault again. */
export function rethrow(fault: Fault): never {
  const thrown: unknown = fault;
  throw thrown;
}
