import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, isDigest, parseJson } from "@touchmark/core";
import { TEMPORARY_PREFIX, writeFileAtomically } from "@touchmark/store";
import { databaseName } from "../database/compile.ts";
import { advisoryDatabaseErrors } from "../database/errors.ts";
import type { AdvisoryPlace } from "./configuration.ts";
import { advisoryFeedErrors } from "./errors.ts";

/** What is known of a source beside its records. */
export interface SourceState {
  /** When its server, or its file, was last found to be as it is in the database. RFC 3339. */
  readonly checkedAt: string;
  /** What its server wants to be asked with. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** Date of the newest record that was ever read of it: nothing older is taken without being asked. */
  readonly newest?: string;
  /** It came by `import`, and is in no configuration. */
  readonly imported?: boolean;
}

/** Which database is in use. */
export interface AdvisoryState {
  readonly current?: Digest;
  readonly sources: Readonly<Record<string, SourceState>>;
}

const stateFile = (place: AdvisoryPlace): string => join(place.directory, "state.json");

/** Reads the state; an empty one where there is none yet. @throws ADVISORY_STATE_MALFORMED */
export function readAdvisoryState(place: AdvisoryPlace): AdvisoryState {
  let bytes: Buffer;
  try {
    bytes = readFileSync(stateFile(place));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { sources: {} };
    return malformed(cause);
  }
  let state: { version?: unknown; current?: unknown; sources?: Record<string, SourceState> | null };
  try {
    state = parseJson(bytes, { maxBytes: 1 << 20 }) as typeof state;
  } catch (cause) {
    return malformed(cause);
  }
  const isSound =
    state?.version === 1 &&
    (state.current === undefined || (typeof state.current === "string" && isDigest(state.current))) &&
    typeof state.sources === "object" &&
    state.sources !== null &&
    Object.values(state.sources).every((each) => typeof each?.checkedAt === "string");
  if (!isSound) return malformed();
  const { current, sources } = state as AdvisoryState;
  return { ...(current === undefined ? {} : { current }), sources };
}

function malformed(cause?: unknown): never {
  throw advisoryFeedErrors.make("ADVISORY_STATE_MALFORMED", "expected a whole state.json among the advisories", {
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Writes the state: readers see the old one or the new one. */
export function writeAdvisoryState(place: AdvisoryPlace, state: AdvisoryState): void {
  mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  writeFileAtomically(stateFile(place), `${JSON.stringify({ version: 1, ...state }, null, 2)}\n`);
}

/** Where databases lie. */
export function databaseDirectory(place: AdvisoryPlace): string {
  return join(place.directory, "databases");
}

/** Deletes what killed updates left. The caller holds the lock of the advisories: nobody else is writing. */
export function clearLeftovers(place: AdvisoryPlace): void {
  for (const directory of [place.directory, databaseDirectory(place)]) {
    for (const name of namesIn(directory)) {
      if (name.startsWith(TEMPORARY_PREFIX)) rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
}

/** File of a database. */
export function databasePath(place: AdvisoryPlace, digest: Digest): string {
  return join(databaseDirectory(place), databaseName(digest));
}

/** File of the signed statement about a database. */
export function databaseBundlePath(place: AdvisoryPlace, digest: Digest): string {
  return join(databaseDirectory(place), `${digestHex(digest)}.sigstore.json`);
}

/** A database that is kept. */
export interface KeptDatabase {
  readonly digest: Digest;
  readonly bytes: number;
  /** When its file was written. */
  readonly at: Date;
  readonly isCurrent: boolean;
}

/** Databases of a home, the newest first. */
export function keptDatabases(place: AdvisoryPlace): readonly KeptDatabase[] {
  const { current } = readAdvisoryState(place);
  const kept = namesIn(databaseDirectory(place)).flatMap((name): KeptDatabase[] => {
    const hex = /^([0-9a-f]{64})\.advisories$/.exec(name)?.[1];
    if (hex === undefined) return [];
    const { size, mtime } = statSync(join(databaseDirectory(place), name));
    const digest: Digest = `sha256:${hex}`;
    return [{ digest, bytes: size, at: mtime, isCurrent: digest === current }];
  });
  return kept.sort((a, b) => b.at.getTime() - a.at.getTime() || (a.digest < b.digest ? -1 : 1));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}

/**
 * Deletes databases but the one in use, the `keep` newest others, and those whose digests are named. Returns what was
 * deleted. A scan that named a deleted one can not be repeated.
 */
export function pruneDatabases(
  place: AdvisoryPlace,
  keep: number,
  held: ReadonlySet<Digest> = new Set(),
): readonly KeptDatabase[] {
  const others = keptDatabases(place).filter(({ digest, isCurrent }) => !isCurrent && !held.has(digest));
  const gone = others.slice(keep);
  for (const { digest } of gone) {
    rmSync(databasePath(place, digest), { force: true });
    rmSync(databaseBundlePath(place, digest), { force: true });
  }
  return gone;
}

/** A database by its digest, or by the first digits of it. @throws ADVISORY_DATABASE_MISSING */
export function chooseDatabase(place: AdvisoryPlace, written: string): Digest {
  const digits = written.replace(/^sha256:/, "");
  const found = /^[0-9a-f]{6,64}$/.test(digits)
    ? keptDatabases(place).filter(({ digest }) => digestHex(digest).startsWith(digits))
    : [];
  const [one] = found;
  if (one !== undefined && found.length === 1) return one.digest;
  throw advisoryDatabaseErrors.make(
    "ADVISORY_DATABASE_MISSING",
    `expected the digest of a database that is kept, found ${JSON.stringify(written.slice(0, 80))}`,
  );
}
