import { type FactoryError, isFactoryError } from "@touchmark/core";
import { registryServerErrors } from "./errors.ts";

/** How an error is said: a status, and a code of distribution-spec 1.1 ("Error Codes"). */
export interface Refusal {
  readonly status: number;
  readonly specCode: string;
  readonly error: FactoryError;
}

const rows: Readonly<Record<string, readonly [number, string]>> = {
  REGISTRY_UPLOAD_UNKNOWN: [404, "BLOB_UPLOAD_UNKNOWN"],
  REGISTRY_UPLOAD_BUSY: [409, "BLOB_UPLOAD_INVALID"],
  REGISTRY_RANGE_INVALID: [416, "BLOB_UPLOAD_INVALID"],
  REGISTRY_CONTENT_RANGE_INVALID: [400, "BLOB_UPLOAD_INVALID"],
  REGISTRY_DIGEST_MISMATCH: [400, "DIGEST_INVALID"],
  REGISTRY_DIGEST_REQUIRED: [400, "DIGEST_INVALID"],
  REGISTRY_TOO_LARGE: [413, "SIZE_INVALID"],
  REGISTRY_SIZE_MISMATCH: [400, "SIZE_INVALID"],
  REGISTRY_REFERENCE_MISSING: [404, "MANIFEST_BLOB_UNKNOWN"],
  REGISTRY_CONTENT_MISSING: [404, "MANIFEST_UNKNOWN"],
  REGISTRY_BLOB_UNKNOWN: [404, "BLOB_UNKNOWN"],
  REGISTRY_MANIFEST_UNKNOWN: [404, "MANIFEST_UNKNOWN"],
  REGISTRY_REPOSITORY_UNKNOWN: [404, "NAME_UNKNOWN"],
  REGISTRY_PATH_UNKNOWN: [404, "UNSUPPORTED"],
  REGISTRY_METHOD_UNSUPPORTED: [405, "UNSUPPORTED"],
  REGISTRY_QUERY_INVALID: [400, "UNSUPPORTED"],
  REGISTRY_BODY_SLOW: [408, "BLOB_UPLOAD_INVALID"],
  REGISTRY_BODY_BROKEN: [400, "SIZE_INVALID"],
  REGISTRY_REQUEST_MALFORMED: [400, "UNSUPPORTED"],
  REGISTRY_UNAUTHORIZED: [401, "UNAUTHORIZED"],
  REGISTRY_CONTENT_CORRUPT: [503, "UNKNOWN"],
  REGISTRY_UPLOADS_TOO_MANY: [429, "TOOMANYREQUESTS"],
  REGISTRY_RATE_LIMITED: [429, "TOOMANYREQUESTS"],
  REGISTRY_AUTH_LOCKED: [429, "TOOMANYREQUESTS"],
  REGISTRY_AUTH_BUSY: [429, "TOOMANYREQUESTS"],
  OCI_TOO_LARGE: [413, "MANIFEST_INVALID"],
};

const families: readonly (readonly [string, readonly [number, string]])[] = [
  ["OCI_NAME_", [400, "NAME_INVALID"]],
  ["OCI_DIGEST_", [400, "DIGEST_INVALID"]],
  ["OCI_", [400, "MANIFEST_INVALID"]],
];

const natures: Readonly<Record<string, readonly [number, string]>> = {
  invalid: [400, "UNSUPPORTED"],
  refused: [403, "DENIED"],
  unavailable: [503, "UNKNOWN"],
  bug: [500, "UNKNOWN"],
};

/** Where the same error means something else to a reader than to one who uploads. */
const readRows: Readonly<Record<string, readonly [number, string]>> = {
  REGISTRY_RANGE_INVALID: [416, "SIZE_INVALID"],
};

/** Finds the words for an error. What is not ours is a bug of ours, and is not shown. */
export function refusalOf(thrown: unknown, kind?: string): Refusal {
  const error = isFactoryError(thrown)
    ? thrown
    : registryServerErrors.make("REGISTRY_INTERNAL", "the registry failed; its own log says more", { cause: thrown });
  const [status, specCode] = (kind === "blob" ? readRows[error.code] : undefined) ??
    rows[error.code] ??
    families.find(([prefix]) => error.code.startsWith(prefix))?.[1] ??
    natures[error.nature] ?? [500, "UNKNOWN"];
  return { status, specCode, error };
}

/** The body of an error (distribution-spec 1.1, "Error Codes"); our own code stands in `detail`. */
export function refusalBody(refusal: Refusal): Buffer {
  const { code, message, hint, nature } = refusal.error;
  const detail = { code, ...(hint === undefined ? {} : { hint }) };
  const shown = nature === "bug" ? "the registry failed" : message;
  return Buffer.from(JSON.stringify({ errors: [{ code: refusal.specCode, message: shown, detail }] }));
}
