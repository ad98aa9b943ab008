import { advisoryDatabaseErrors } from "./errors.ts";
import type { SourcePart } from "./footer.ts";

type Counted = Pick<SourcePart, "name" | "newest" | "advisories" | "exploitations" | "endsOfLife">;

/**
 * Refuses a source that went back: one that is older than what was last read of it (`newest` is the date of what was
 * ever read), or has less than half of it. Whoever replays an old feed hides what was published since.
 * @throws ADVISORY_FEED_ROLLBACK | ADVISORY_FEED_SHRUNK
 */
export function checkProgress(now: Counted, before: Counted | undefined, newest?: string): void {
  const mark = [before?.newest ?? "", newest ?? ""].sort().at(-1) ?? "";
  if (mark !== "" && (now.newest ?? "") < mark) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_FEED_ROLLBACK",
      `expected ${now.name} of ${mark} or later, found ${now.newest ?? "no date"}`,
    );
  }
  if (before === undefined) return;
  const [rows, held] = [rowCount(now), rowCount(before)];
  if (rows * 2 < held) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_FEED_SHRUNK",
      `expected at least half of the ${held} records of ${now.name} that were there, found ${rows}`,
    );
  }
}

/** Rows of a source, of all kinds. */
export function rowCount({ advisories, exploitations, endsOfLife }: Omit<Counted, "name" | "newest">): number {
  return advisories + exploitations + endsOfLife;
}
