import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { type LockfileCode, lockfileErrors } from "./errors.ts";
import { type LockfileOptions, lockfileLimits } from "./options.ts";
import { refuse } from "./tolerance.ts";

const codes: Readonly<Record<string, LockfileCode>> = {
  JSON_DUPLICATE_KEY: "LOCKFILE_DUPLICATE",
  JSON_TOO_DEEP: "LOCKFILE_TOO_DEEP",
  JSON_TOO_LARGE: "LOCKFILE_TOO_LARGE",
};

/**
 * Reads JSON, strictly. Where losses are tolerated, of two members of one name the last counts, as for the clients.
 * @throws LOCKFILE_MALFORMED | LOCKFILE_DUPLICATE | LOCKFILE_TOO_DEEP
 */
export function readJson(text: string, options: LockfileOptions = {}): Json {
  try {
    return parseJson(text, { maxBytes: lockfileLimits.bytes, maxDepth: lockfileLimits.depth });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    const refusal = lockfileErrors.make(codes[cause.code] ?? "LOCKFILE_MALFORMED", cause.message, { cause });
    if (cause.code !== "JSON_DUPLICATE_KEY") throw refusal;
    refuse(options, refusal);
    return JSON.parse(text) as Json;
  }
}
