import { advisoryDatabaseErrors } from "./errors.ts";
import type { SourcePart } from "./footer.ts";

/**
 * Refuses a source that went back: one that is older than what was last read of it, or has less than half of it.
 * Whoever replays an old feed hides what was published since.
 * @throws ADVISORY_FEED_ROLLBACK | ADVISORY_FEED_SHRUNK
 */
export function checkProgress(now: SourcePart, before: SourcePart): void {
  if (now.newest !== undefined && before.newest !== undefined && now.newest < before.newest) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_FEED_ROLLBACK",
      `expected ${now.name} of ${before.newest} or later, found ${now.newest}`,
    );
  }
  const [rows, held] = [rowCount(now), rowCount(before)];
  if (rows * 2 < held) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_FEED_SHRUNK",
      `expected at least half of the ${held} records of ${now.name} that were there, found ${rows}`,
    );
  }
}

/** Rows of a source, of all kinds. */
export function rowCount({ advisories, exploitations, endsOfLife }: SourcePart): number {
  return advisories + exploitations + endsOfLife;
}
