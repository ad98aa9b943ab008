import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { type LockfileCode, lockfileErrors } from "./errors.ts";
import { lockfileLimits } from "./options.ts";

const codes: Readonly<Record<string, LockfileCode>> = {
  JSON_DUPLICATE_KEY: "LOCKFILE_DUPLICATE",
  JSON_TOO_DEEP: "LOCKFILE_TOO_DEEP",
  JSON_TOO_LARGE: "LOCKFILE_TOO_LARGE",
};

/** Reads JSON, strictly. @throws LOCKFILE_MALFORMED | LOCKFILE_DUPLICATE | LOCKFILE_TOO_DEEP */
export function readJson(text: string): Json {
  try {
    return parseJson(text, { maxBytes: lockfileLimits.bytes, maxDepth: lockfileLimits.depth });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw lockfileErrors.make(codes[cause.code] ?? "LOCKFILE_MALFORMED", cause.message, { cause });
  }
}
