import type { AffectedRange } from "../advisory.ts";
import { advisorySourceErrors } from "./errors.ts";

/**
 * Refuses a range that can hold no version: nothing is introduced. A range that says nothing would otherwise pass for a
 * statement that nothing is affected.
 * @throws ADVISORY_RANGE_IMPOSSIBLE
 */
export function checkRange({ events }: AffectedRange, _ecosystem: string): void {
  if (!events.some((event) => "introduced" in event)) {
    throw advisorySourceErrors.make("ADVISORY_RANGE_IMPOSSIBLE", "expected a range with an event that introduces it");
  }
}
