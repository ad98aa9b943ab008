import {
  type AdvisoryDatabase,
  advisoryPlace,
  advisorySources,
  databasePath,
  openAdvisoryDatabase,
  readAdvisoryState,
  refuseStale,
  sourceAges,
} from "@touchmark/advisories";
import type { Digest } from "@touchmark/core";
import type { Factory } from "../factory.ts";

/** Which database is opened. */
export interface AdvisoryChoice {
  /** An earlier one, to repeat a scan; its age is then no reason to refuse. Default: the one in use. */
  readonly digest?: Digest;
}

/**
 * Opens the advisory database of a factory; undefined where none was ever made. Data older than the user's configuration
 * allows is refused. @throws ADVISORY_DATABASE_… | ADVISORY_STATE_… | ADVISORY_DATA_STALE | ADVISORY_CONFIG_…
 */
export async function openAdvisories(
  factory: Factory,
  choice: AdvisoryChoice = {},
): Promise<AdvisoryDatabase | undefined> {
  const place = advisoryPlace(factory.home.path);
  const state = readAdvisoryState(place);
  const digest = choice.digest ?? state.current;
  if (digest === undefined) return undefined;
  const database = openAdvisoryDatabase(databasePath(place, digest), { digest });
  try {
    if (choice.digest === undefined) {
      refuseStale(sourceAges(database.facts, advisorySources(place), state, factory.clock.now()));
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
