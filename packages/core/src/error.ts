/** How an error came about, which decides exit code and HTTP status (ARCHITECTURE, "Errors"). */
export type Nature = "invalid" | "refused" | "unavailable" | "bug";

/** Exit code of the command for each nature. A step whose own command fails is a result, exit 1. */
export const exitCodes: Readonly<Record<Nature, number>> = {
  invalid: 2,
  refused: 3,
  unavailable: 4,
  bug: 70,
};

/** One row of a package's error table: its nature, and what it means, for `docs/errors.md`. */
export interface ErrorRow {
  readonly nature: Nature;
  /** One sentence: the condition under which this code is raised. */
  readonly meaning: string;
  /** What the reader can do about it, unless the thrower knows better. */
  readonly hint?: string;
}

/** The one error base: everything that this project throws on purpose is a `FactoryError`. */
export class FactoryError extends Error {
  override readonly name = "FactoryError";
  readonly code: string;
  readonly nature: Nature;
  readonly hint: string | undefined;

  constructor(code: string, row: ErrorRow, message: string, options: ErrorDetail = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.nature = row.nature;
    this.hint = options.hint ?? row.hint;
  }
}

/** What a thrower may add to a message. */
export interface ErrorDetail {
  readonly cause?: unknown;
  readonly hint?: string;
}

/** A closed table of codes, and the constructor of its errors. */
export interface ErrorTable<Code extends string> {
  readonly rows: Readonly<Record<Code, ErrorRow>>;
  /** Makes, and does not throw, an error: `throw errors.make("CODE", "expected …, found …")`. */
  make(code: Code, message: string, detail?: ErrorDetail): FactoryError;
}

/** Declares the closed set of error codes of a package. */
export function defineErrors<Code extends string>(rows: Readonly<Record<Code, ErrorRow>>): ErrorTable<Code> {
  return {
    rows,
    make: (code, message, detail) => new FactoryError(code, rows[code], message, detail),
  };
}

/** True for errors of this project, across realms and duplicate installs. */
export function isFactoryError(value: unknown): value is FactoryError {
  return value instanceof Error && value.name === "FactoryError" && "code" in value && "nature" in value;
}
