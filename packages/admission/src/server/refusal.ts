import { type FactoryError, isFactoryError, type Nature } from "@touchmark/core";
import { questionErrors } from "../webhook/errors.ts";

const statuses: Readonly<Record<string, number>> = {
  ADMISSION_PATH_UNKNOWN: 404,
  ADMISSION_METHOD_UNSUPPORTED: 405,
  ADMISSION_BODY_SLOW: 408,
  ADMISSION_TOO_LARGE: 413,
  ADMISSION_CONTENT_TYPE: 415,
};

const natures: Readonly<Record<Nature, number>> = { invalid: 400, refused: 403, unavailable: 503, bug: 500 };

/** How an error is said by HTTP. */
export interface HttpRefusal {
  readonly status: number;
  readonly error: FactoryError;
}

/** What is not ours is a bug of ours, and its words are not shown. */
export function refusalOf(thrown: unknown): HttpRefusal {
  const error = isFactoryError(thrown)
    ? thrown
    : questionErrors.make("ADMISSION_GATE_FAILED", "expected an answer, found a fault of this service", {
        cause: thrown,
      });
  return { status: statuses[error.code] ?? natures[error.nature], error };
}

/** The bytes of a refusal. */
export function refusalBytes({ code, message, hint }: FactoryError): Buffer {
  return Buffer.from(JSON.stringify({ code, message, ...(hint === undefined ? {} : { hint }) }));
}
