import { isFactoryError } from "@touchmark/core";
import type { mirrorErrors } from "./errors.ts";

/** What a fetch mends: the mirror has moved aside what was wrong, or has lost it. */
const mendable: readonly (keyof typeof mirrorErrors.rows)[] = [
  "MIRROR_RECORD_CORRUPT",
  "MIRROR_BODY_CORRUPT",
  "MIRROR_BODY_MISSING",
  "MIRROR_BODY_MISMATCH",
];

/**
 * What the mirror answers. Online, what is damaged or lost counts as absent, so that it is fetched again and verified as
 * anything else that comes in; offline it is refused.
 */
export async function unlessDamaged<T>(offline: boolean, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (!offline && isFactoryError(cause) && mendable.some((code) => code === cause.code)) return undefined;
    throw cause;
  }
}
