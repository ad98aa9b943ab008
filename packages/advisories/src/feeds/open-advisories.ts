import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { readIfPresent } from "@touchmark/store";
import { databaseName } from "../database/compile.ts";
import { advisoryDatabaseErrors } from "../database/errors.ts";
import type { Footer } from "../database/footer.ts";
import { type CompiledAdvisoryDatabase, openAdvisoryDatabase } from "../database/open.ts";
import { checkProgress } from "../database/progress.ts";
import { refuseStale, type SourceAge, sourceAges } from "./age.ts";
import { type AdvisoryPlace, advisorySources } from "./configuration.ts";
import {
  type AdvisoryState,
  chooseDatabase,
  databaseBundlePath,
  databaseDirectory,
  databasePath,
  readAdvisoryState,
  writeAdvisoryState,
} from "./state.ts";

/** The advisories of a home, open. */
export interface OpenAdvisories {
  readonly database: CompiledAdvisoryDatabase;
  /** How old each source is; one that is stale was refused before, unless asked. */
  readonly ages: readonly SourceAge[];
}

/** How to open. */
export interface OpenAdvisoriesOptions {
  readonly now: Date;
  /** A kept database, by its digest or the first digits of it, in place of the one in use: a scan is repeated. */
  readonly database?: string;
  /** Take data that is older than its limit. */
  readonly allowStale?: boolean;
  /** Verifies the signed statement that lies beside a database; throws when it, or its absence, will not do. */
  readonly verify?: (bundle: Uint8Array | undefined, digest: Digest) => void;
}

/**
 * Opens the database in use, or the one that is named; undefined where the home has no advisories at all, and
 * vulnerabilities are not evaluated. A home that is configured for them and has none is refused: absence never passes.
 * @throws ADVISORY_DATABASE_* | ADVISORY_DATA_STALE | ADVISORY_CONFIG_INVALID | ADVISORY_STATE_MALFORMED
 */
export function openAdvisories(place: AdvisoryPlace, options: OpenAdvisoriesOptions): OpenAdvisories | undefined {
  const configuration = advisorySources(place);
  const state = readAdvisoryState(place);
  const digest = options.database === undefined ? state.current : chooseDatabase(place, options.database);
  if (digest === undefined) {
    if (configuration === undefined) return undefined;
    throw advisoryDatabaseErrors.make(
      "ADVISORY_DATABASE_MISSING",
      "expected a compiled advisory database, as advisories.yaml configures sources, found none yet",
    );
  }
  const database = openAdvisoryDatabase(databasePath(place, digest), { digest });
  try {
    options.verify?.(readIfPresent(databaseBundlePath(place, digest)), digest);
    const ages = sourceAges(database.facts, configuration, state, options.now);
    // A named database is asked for what was known then.
    if (options.allowStale !== true && options.database === undefined) refuseStale(ages);
    return { database, ages };
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/**
 * Takes a compiled database that was made elsewhere, and puts it in use. The caller knows its digest, or has verified a
 * statement about it.
 * @throws ADVISORY_DATABASE_* | ADVISORY_FEED_ROLLBACK | ADVISORY_FEED_SHRUNK
 */
export function adoptDatabase(
  place: AdvisoryPlace,
  file: string,
  options: { readonly now: Date; readonly digest?: Digest; readonly allowRollback?: boolean },
): { readonly digest: Digest; readonly facts: CompiledAdvisoryDatabase["facts"]; readonly footer: Footer } {
  const directory = databaseDirectory(place);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const copy = join(directory, `.tmp-adopted-${process.pid}`);
  copyFileSync(file, copy);
  try {
    const incoming = openAdvisoryDatabase(copy, options.digest === undefined ? {} : { digest: options.digest });
    incoming.close();
    const { facts, footer } = incoming;
    const state = readAdvisoryState(place);
    if (options.allowRollback !== true) checkAdoption(place, state, incoming);
    const digest = facts.digest as Digest;
    chmodSync(copy, 0o400);
    renameSync(copy, join(directory, databaseName(digest)));
    const checkedAt = `${options.now.toISOString().slice(0, 19)}Z`;
    const sources = footer.sources.map(({ name, newest }) => [
      name,
      { checkedAt, ...(newest === undefined ? {} : { newest }), imported: true },
    ]);
    writeAdvisoryState(place, { current: digest, sources: Object.fromEntries(sources) as AdvisoryState["sources"] });
    return { digest, facts, footer };
  } finally {
    rmSync(copy, { force: true });
  }
}

/** An adopted database may go back in no source that the one in use has. */
function checkAdoption(place: AdvisoryPlace, state: AdvisoryState, incoming: CompiledAdvisoryDatabase): void {
  if (state.current === undefined) return;
  const current = openAdvisoryDatabase(databasePath(place, state.current), { digest: state.current });
  current.close();
  if (incoming.footer.compiledAt < current.footer.compiledAt) {
    throw advisoryDatabaseErrors.make(
      "ADVISORY_DATABASE_ROLLBACK",
      `expected a database of ${current.footer.compiledAt} or later, found one of ${incoming.footer.compiledAt}`,
    );
  }
  for (const before of current.footer.sources) {
    const now = incoming.footer.sources.find(({ name }) => name === before.name);
    checkProgress(now ?? { name: before.name, advisories: 0, exploitations: 0, endsOfLife: 0 }, before);
  }
}
