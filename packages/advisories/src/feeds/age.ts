import type { AdvisoryDataFacts } from "@touchmark/formats/findings";
import { advisoryDatabaseErrors } from "../database/errors.ts";
import type { AdvisoryConfiguration } from "./configuration.ts";
import type { AdvisoryState } from "./state.ts";

/** How old the data of one source is. */
export interface SourceAge {
  readonly source: string;
  /** Date of its newest record or of the feed; where it tells none, when it was last read or checked. RFC 3339. */
  readonly from: string;
  readonly seconds: number;
  readonly verdict: "fresh" | "old" | "stale";
  /** Seconds; the limit that was passed. */
  readonly limit?: number;
}

/**
 * Judges how old each source is by its configuration. What counts is the date of the data, not when it was fetched: a
 * server that answers with an old feed does not make it new.
 */
export function sourceAges(
  facts: AdvisoryDataFacts,
  configuration: AdvisoryConfiguration | undefined,
  state: AdvisoryState,
  now: Date,
): readonly SourceAge[] {
  return facts.sources.map(({ name, newest, importedAt }) => {
    const checkedAt = Object.hasOwn(state.sources, name) ? state.sources[name]?.checkedAt : undefined;
    const from = newest ?? [importedAt, checkedAt ?? ""].sort().at(-1) ?? importedAt;
    const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(from)) / 1000));
    const limits = configuration?.sources.find((source) => source.name === name)?.maximumAge ?? {};
    const isStale = limits.refuse !== undefined && !(seconds <= limits.refuse);
    const isOld = limits.warn !== undefined && !(seconds <= limits.warn);
    const limit = isStale ? limits.refuse : isOld ? limits.warn : undefined;
    const verdict = isStale ? "stale" : isOld ? "old" : "fresh";
    return { source: name, from, seconds, verdict, ...(limit === undefined ? {} : { limit }) };
  });
}

/** Refuses data of which a source is older than its limit. @throws ADVISORY_DATA_STALE */
export function refuseStale(ages: readonly SourceAge[]): void {
  const stale = ages.filter(({ verdict }) => verdict === "stale");
  if (stale.length === 0) return;
  const list = stale.map(({ source, from, limit }) => `${source} of ${from} (at most ${days(limit ?? 0)})`).join(", ");
  throw advisoryDatabaseErrors.make("ADVISORY_DATA_STALE", `expected newer advisories, found ${list}`);
}

/** An age for people. */
export function days(seconds: number): string {
  return seconds >= 2 * 86_400 ? `${Math.floor(seconds / 86_400)} days` : `${Math.floor(seconds / 3600)} hours`;
}
