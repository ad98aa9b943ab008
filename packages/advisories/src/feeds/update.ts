import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Digest, isFactoryError } from "@touchmark/core";
import { writeFileAtomically } from "@touchmark/store";
import { type DatabaseChanges, databaseChanges } from "../database/changes.ts";
import { type AdvisorySourceInput, type CompiledDatabase, compileDatabase } from "../database/compile.ts";
import { advisoryDatabaseErrors } from "../database/errors.ts";
import type { Footer } from "../database/footer.ts";
import { openAdvisoryDatabase } from "../database/open.ts";
import type { SourceFailure } from "../database/write-sources.ts";
import { advisorySourceErrors } from "../importers/errors.ts";
import type { AdvisoryConfiguration, AdvisoryPlace, ConfiguredSource } from "./configuration.ts";
import { advisoryFeedErrors } from "./errors.ts";
import { type FetchFeed, fetchFeed } from "./fetch-feed.ts";
import {
  type AdvisoryState,
  clearLeftovers,
  databaseBundlePath,
  databaseDirectory,
  databasePath,
  readAdvisoryState,
  type SourceState,
  writeAdvisoryState,
} from "./state.ts";
import { databaseStatement } from "./statement.ts";

/** What every change of the database in use is told. The caller holds the lock of the advisories. */
export interface UpdateOptions {
  readonly place: AdvisoryPlace;
  readonly clock: Clock;
  readonly allowRollback?: boolean;
  /** Read every source again, whatever did not change. */
  readonly again?: boolean;
  /** Signs the statement about a new database; the bundle is kept beside it. */
  readonly sign?: (statement: Uint8Array) => Promise<Uint8Array>;
  readonly fetch?: FetchFeed;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: { readonly source: string; readonly state: string }) => void;
}

/** What an update did. */
export interface AdvisoryUpdate {
  readonly database: CompiledDatabase;
  readonly changes: DatabaseChanges;
  /** Sources that stay as they were, because they could not be fetched or were refused. */
  readonly failures: readonly SourceFailure[];
}

/**
 * Brings the database up to date with its configured sources, or with those of `names`. Unchanged ones are not read
 * again; one that cannot be taken stays as it was and is told of. Sources that came by import stay.
 * @throws ADVISORY_SOURCE_UNKNOWN | ADVISORY_SOURCE_* when nothing of any source is there
 */
export async function updateAdvisories(
  options: UpdateOptions & { readonly configuration: AdvisoryConfiguration; readonly names?: readonly string[] },
): Promise<AdvisoryUpdate> {
  const { place, configuration, names = [] } = options;
  clearLeftovers(place);
  const state = readAdvisoryState(place);
  const unknown = names.find((name) => !configuration.sources.some((source) => source.name === name));
  if (unknown !== undefined) {
    throw advisoryFeedErrors.make("ADVISORY_SOURCE_UNKNOWN", `expected a configured source, found ${unknown}`);
  }
  const wanted = configuration.sources.filter(({ name }) => names.length === 0 || names.includes(name));
  const downloads = join(place.directory, `.tmp-downloads-${randomBytes(6).toString("hex")}`);
  mkdirSync(downloads, { recursive: true, mode: 0o700 });
  try {
    const gathered = await gather(wanted, state, downloads, options);
    const others = [
      ...configuration.sources.map(({ name }) => name),
      ...Object.entries(state.sources).flatMap(([name, each]) => (each.imported === true ? [name] : [])),
    ];
    return await install({ ...options, ...gathered, state, kept: others });
  } finally {
    rmSync(downloads, { recursive: true, force: true });
  }
}

/**
 * Takes one source from files of this machine, beside or in place of what is there of it.
 * @throws ADVISORY_SOURCE_* | ADVISORY_FEED_ROLLBACK | ADVISORY_FEED_SHRUNK
 */
export async function importAdvisories(
  options: UpdateOptions & { readonly input: AdvisorySourceInput; readonly isConfigured?: boolean },
): Promise<AdvisoryUpdate> {
  clearLeftovers(options.place);
  const state = readAdvisoryState(options.place);
  const { name } = options.input;
  const facts = options.isConfigured === true ? {} : { imported: true };
  return install({
    ...options,
    ...{ state, inputs: [options.input], learned: new Map([[name, facts]]), failures: [], tolerant: false },
    kept: Object.keys(state.sources),
  });
}

interface Gathered {
  readonly inputs: readonly AdvisorySourceInput[];
  /** What servers said, by source. */
  readonly learned: ReadonlyMap<string, Partial<SourceState>>;
  readonly failures: readonly SourceFailure[];
}

async function gather(
  sources: readonly ConfiguredSource[],
  state: AdvisoryState,
  downloads: string,
  options: UpdateOptions,
): Promise<Gathered> {
  const inputs: AdvisorySourceInput[] = [];
  const learned = new Map<string, Partial<SourceState>>();
  const failures: SourceFailure[] = [];
  const held = heldSources(options.place, state);
  for (const source of sources) {
    options.signal?.throwIfAborted();
    const { name, kind, location, licence } = source;
    const facts = { name, kind, origin: location, ...(licence === undefined ? {} : { licence }) };
    if (!source.isRemote) {
      inputs.push({ ...facts, path: location });
      learned.set(name, {});
      continue;
    }
    options.onProgress?.({ source: name, state: "fetching" });
    // The name of the address tells what it is: `all.zip`, `scores.csv.gz`.
    const last = /[\w.-]{1,80}$/.exec(new URL(location).pathname)?.[0] ?? "feed.json";
    const file = join(downloads, `${name}-${last}`);
    const before = Object.hasOwn(state.sources, name) ? state.sources[name] : undefined;
    const isHeld = options.again !== true && held.get(name) === `${kind} ${location}`;
    try {
      const answer = await (options.fetch ?? fetchFeed)({
        ...{ url: location, file },
        ...(isHeld && before?.etag !== undefined ? { etag: before.etag } : {}),
        ...(isHeld && before?.lastModified !== undefined ? { lastModified: before.lastModified } : {}),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      const { etag, lastModified } = answer.outcome === "unchanged" ? (before ?? {}) : answer;
      learned.set(name, {
        ...(etag === undefined ? {} : { etag }),
        ...(lastModified === undefined ? {} : { lastModified }),
      });
      if (answer.outcome === "fetched") inputs.push({ ...facts, path: file });
      else options.onProgress?.({ source: name, state: "unchanged" });
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      failures.push({ source: name, code: error.code, message: error.message });
    }
  }
  return { inputs, learned, failures };
}

/** Sources of the database in use, with what they were read from. */
function heldSources(place: AdvisoryPlace, { current }: AdvisoryState): ReadonlyMap<string, string> {
  if (current === undefined) return new Map();
  try {
    const database = openAdvisoryDatabase(databasePath(place, current), { digest: current });
    database.close();
    return new Map(database.footer.sources.map(({ name, kind, origin }) => [name, `${kind} ${origin}`]));
  } catch (error) {
    // A damaged one is made anew, from everything.
    if (isFactoryError(error) && error.code.startsWith("ADVISORY_DATABASE_")) return new Map();
    throw error;
  }
}

interface Installation extends UpdateOptions, Gathered {
  readonly state: AdvisoryState;
  readonly kept: readonly string[];
  readonly tolerant?: boolean;
}

async function install(options: Installation): Promise<AdvisoryUpdate> {
  const { place, clock, state, inputs, learned } = options;
  const isHeld = heldSources(place, state).size > 0;
  const previous = isHeld && state.current !== undefined ? databasePath(place, state.current) : undefined;
  const marks = Object.entries(state.sources).flatMap(([name, { newest }]) =>
    newest === undefined ? [] : [[name, newest] as const],
  );
  const database = await compileDatabase({
    ...{ sources: inputs, directory: databaseDirectory(place), clock, kept: options.kept },
    ...(previous === undefined ? {} : { previous }),
    newest: Object.fromEntries(marks),
    allowRollback: options.allowRollback === true,
    again: options.again === true,
    tolerant: options.tolerant ?? true,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const failures = [...options.failures, ...database.failures];
  refuseNothing(database, failures);
  const changes = compare(previous, database.path);
  if (database.isNew && options.sign !== undefined) await signDatabase(place, database, options.sign);
  const now = `${clock.now().toISOString().slice(0, 19)}Z`;
  const refused = new Set(failures.map(({ source }) => source));
  const sources = database.footer.sources.map(({ name, newest }): [string, SourceState] => {
    const before = Object.hasOwn(state.sources, name) ? state.sources[name] : undefined;
    const fresh = refused.has(name) ? undefined : learned.get(name);
    const mark = newest === undefined ? {} : { newest };
    if (fresh === undefined) return [name, { checkedAt: now, ...before, ...mark }];
    return [name, { checkedAt: now, ...fresh, ...mark }];
  });
  writeAdvisoryState(place, { current: database.digest, sources: Object.fromEntries(sources) });
  return { database, changes, failures };
}

/** Signs the statement about a database, and keeps the bundle beside it. */
export async function signDatabase(
  place: AdvisoryPlace,
  database: { readonly digest: Digest; readonly footer: Footer },
  sign: (statement: Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  const bundle = await sign(databaseStatement(database));
  writeFileAtomically(databaseBundlePath(place, database.digest), bundle);
}

/** An update that leaves nothing to look up is no update. */
function refuseNothing(database: CompiledDatabase, [first]: readonly SourceFailure[]): void {
  if (database.footer.sources.length > 0 || first === undefined) return;
  rmSync(database.path, { force: true });
  const [code, message] = [first.code, `${first.source}: ${first.message}`];
  if (code === "ADVISORY_FEED_ROLLBACK" || code === "ADVISORY_FEED_SHRUNK") {
    throw advisoryDatabaseErrors.make(code, message);
  }
  if (code === "ADVISORY_SOURCE_MISSING" || code === "ADVISORY_SOURCE_MALFORMED") {
    throw advisorySourceErrors.make(code, message);
  }
  throw advisoryFeedErrors.make(
    "ADVISORY_FEED_UNREACHABLE",
    `expected advisories of some source, found none: ${message}`,
  );
}

function compare(previous: string | undefined, path: string): DatabaseChanges {
  const after = openAdvisoryDatabase(path);
  const before = previous === undefined ? undefined : openAdvisoryDatabase(previous);
  try {
    return databaseChanges(before, after);
  } finally {
    before?.close();
    after.close();
  }
}
