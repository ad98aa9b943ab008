import { rmSync } from "node:fs";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Digest } from "@touchmark/core";
import { openContentStore } from "./backends/file-content-store.ts";
import type { BundleContent } from "./bundle-subjects.ts";
import type { Home } from "./home.ts";
import { rebuildIndex } from "./rebuild-index.ts";
import type { RunRecord, RunState } from "./run-record.ts";
import { openRunStore } from "./run-store.ts";
import { asStoreError, guarded } from "./system-failure.ts";

/** A run as the index lists it. */
export interface IndexedRun {
  readonly id: string;
  readonly state: RunState;
  readonly project: string;
  readonly pipeline: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** Where an artifact was made, as the index believes. */
export interface IndexedArtifact {
  readonly digest: Digest;
  readonly name: string;
  readonly kind: string;
  readonly run: string;
}

/** A bundle as the index believes it to be. */
export interface IndexedBundle {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly run: string | null;
  readonly step: string | null;
  readonly logIndex: number | null;
}

/**
 * Answers questions about runs and evidence fast. It is never evidence: whoever asks reads what it points to, and
 * `evidence.ts` does so. Deleting the file loses nothing (SPEC I).
 */
export interface Index {
  /** Enters or replaces a run with its steps, artifacts and bundles. */
  putRun(record: RunRecord): void;
  /** Enters or replaces a bundle; `run` and `step` when it came from one. */
  putBundle(
    digest: Digest,
    content: BundleContent,
    from?: { readonly run: string; readonly step: string | null },
  ): void;
  /** Forgets a run. */
  deleteRun(id: string): void;
  /** Forgets a bundle. */
  deleteBundle(digest: Digest): void;
  /** Runs, newest first, from before the given id. */
  runs(options?: { readonly limit?: number; readonly before?: string; readonly project?: string }): IndexedRun[];
  /** Where an artifact of that digest was made, newest run first. */
  artifacts(digest: Digest): IndexedArtifact[];
  /** Artifacts by name, newest run first. */
  artifactsNamed(name: string, limit?: number): IndexedArtifact[];
  /** Bundles with a subject of that digest, in order of log index. */
  bundlesAbout(subject: Digest, predicateType?: string): IndexedBundle[];
  /** Bundles of a run, in order of log index. */
  bundlesOf(run: string): IndexedBundle[];
  /** Forgets everything. */
  clear(): void;
  /** Runs `work` in one transaction. */
  batch<T>(work: () => T): T;
  close(): void;
}

/** Changes with the tables; another number in the file has it made anew. */
const SCHEMA_VERSION = 1;

const schema = `
CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT NOT NULL, project TEXT NOT NULL, pipeline TEXT NOT NULL,
  started_at TEXT NOT NULL, finished_at TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE steps (run TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
  cached INTEGER NOT NULL, duration_ms REAL, output TEXT, PRIMARY KEY (run, position)) STRICT, WITHOUT ROWID;
CREATE TABLE artifacts (run TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  digest TEXT NOT NULL, PRIMARY KEY (run, position)) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_by_digest ON artifacts (digest, run);
CREATE INDEX artifacts_by_name ON artifacts (name, run);
CREATE TABLE bundles (digest TEXT PRIMARY KEY, predicate_type TEXT NOT NULL, run TEXT, step TEXT, log_index INTEGER)
  STRICT, WITHOUT ROWID;
CREATE INDEX bundles_by_run ON bundles (run);
CREATE TABLE subjects (digest TEXT NOT NULL, bundle TEXT NOT NULL, PRIMARY KEY (digest, bundle)) STRICT, WITHOUT ROWID;
CREATE INDEX subjects_by_bundle ON subjects (bundle);
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Opens the home's index, making it anew from records and bundles where there is none or one that cannot be read. */
export async function openIndex(home: Home): Promise<Index> {
  return guarded("opening the index", async () => {
    // Imported here, so that commands which need no index do not pay for SQLite.
    const { DatabaseSync } = await import("node:sqlite");
    const open = () => new DatabaseSync(home.paths.index, { timeout: 5000 });
    let database = open();
    let isNew: boolean;
    try {
      isNew = prepare(database);
    } catch (cause) {
      // 11 corrupt, 26 not a database: it can be made again, so it is.
      const { errcode } = cause as { errcode?: number };
      if (errcode !== 11 && errcode !== 26) throw cause;
      database.close();
      deleteIndex(home);
      database = open();
      isNew = prepare(database);
    }
    const index = new SqliteIndex(database);
    if (isNew) await rebuildIndex(index, openRunStore(home), await openContentStore(home));
    return index;
  });
}

/** Deletes the index; the next one to open it finds it empty. */
export function deleteIndex(home: Home): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(home.paths.index + suffix, { force: true });
}

/** Makes the tables where they are missing; true when it did. */
function prepare(database: DatabaseSync): boolean {
  const version = () => Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version() === SCHEMA_VERSION) return false;
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have made the tables meanwhile.
    const mine = version() !== SCHEMA_VERSION;
    if (mine) {
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      for (const { name } of tables) database.exec(`DROP TABLE "${String(name).replaceAll('"', '""')}"`);
      database.exec(schema);
    }
    database.exec("COMMIT");
    return mine;
  } catch (cause) {
    database.exec("ROLLBACK");
    throw cause;
  }
}

class SqliteIndex implements Index {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    // The index can be made again, so a power cut may cost its last rows: no fsync per commit.
    database.exec("PRAGMA synchronous = NORMAL");
  }

  putRun(record: RunRecord): void {
    this.batch(() => {
      this.#deleteRunRows(record.id);
      this.#run(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)",
        record.id,
        record.state,
        record.project,
        record.pipeline,
        record.startedAt,
        record.finishedAt,
      );
      record.steps.forEach((step, at) => {
        const cached = step.cached ? 1 : 0;
        const row = [record.id, at, step.name, step.status, cached, step.durationMs, step.output];
        this.#run("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
      });
      record.artifacts.forEach(({ name, kind, digest }, at) => {
        this.#run("INSERT INTO artifacts VALUES (?, ?, ?, ?, ?)", record.id, at, name, kind, digest);
      });
      for (const { digest, predicateType, step, logIndex } of record.bundles) {
        this.#run(
          `INSERT INTO bundles VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (digest) DO UPDATE SET run = coalesce(run, excluded.run), step = coalesce(step, excluded.step)`,
          digest,
          predicateType,
          record.id,
          step,
          logIndex,
        );
      }
    });
  }

  putBundle(
    digest: Digest,
    content: BundleContent,
    from?: { readonly run: string; readonly step: string | null },
  ): void {
    this.batch(() => {
      this.#run(
        `INSERT INTO bundles VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET
         predicate_type = excluded.predicate_type, log_index = excluded.log_index,
         run = coalesce(excluded.run, run), step = coalesce(excluded.step, step)`,
        digest,
        content.predicateType,
        from?.run ?? null,
        from?.step ?? null,
        content.logIndex,
      );
      this.#run("DELETE FROM subjects WHERE bundle = ?", digest);
      for (const subject of content.subjects) {
        this.#run("INSERT OR IGNORE INTO subjects VALUES (?, ?)", subject.digest, digest);
      }
    });
  }

  deleteRun(id: string): void {
    this.batch(() => {
      this.#deleteRunRows(id);
      this.#run("UPDATE bundles SET run = NULL, step = NULL WHERE run = ?", id);
    });
  }

  deleteBundle(digest: Digest): void {
    this.batch(() => {
      this.#run("DELETE FROM subjects WHERE bundle = ?", digest);
      this.#run("DELETE FROM bundles WHERE digest = ?", digest);
    });
  }

  runs(options: { readonly limit?: number; readonly before?: string; readonly project?: string } = {}): IndexedRun[] {
    return this.#all<IndexedRun>(
      `SELECT id, state, project, pipeline, started_at AS startedAt, finished_at AS finishedAt FROM runs
       WHERE id < ? AND (? IS NULL OR project = ?) ORDER BY id DESC LIMIT ?`,
      options.before ?? "~",
      options.project ?? null,
      options.project ?? null,
      options.limit ?? 100,
    );
  }

  artifacts(digest: Digest): IndexedArtifact[] {
    return this.#all(
      "SELECT digest, name, kind, run FROM artifacts WHERE digest = ? ORDER BY run DESC, position",
      digest,
    );
  }

  artifactsNamed(name: string, limit = 100): IndexedArtifact[] {
    return this.#all(
      "SELECT digest, name, kind, run FROM artifacts WHERE name = ? ORDER BY run DESC LIMIT ?",
      name,
      limit,
    );
  }

  bundlesAbout(subject: Digest, predicateType?: string): IndexedBundle[] {
    return this.#all(
      `SELECT b.digest, predicate_type AS predicateType, run, step, log_index AS logIndex
       FROM subjects s JOIN bundles b ON b.digest = s.bundle
       WHERE s.digest = ? AND (? IS NULL OR predicate_type = ?) ORDER BY log_index, b.digest`,
      subject,
      predicateType ?? null,
      predicateType ?? null,
    );
  }

  bundlesOf(run: string): IndexedBundle[] {
    return this.#all(
      `SELECT digest, predicate_type AS predicateType, run, step, log_index AS logIndex
       FROM bundles WHERE run = ? ORDER BY log_index, digest`,
      run,
    );
  }

  clear(): void {
    this.batch(() => {
      for (const table of ["runs", "steps", "artifacts", "bundles", "subjects"]) this.#run(`DELETE FROM ${table}`);
    });
  }

  batch<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (cause) {
      // A full disk makes SQLite roll back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw asStoreError(cause, "writing the index");
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #deleteRunRows(id: string): void {
    this.#run("DELETE FROM runs WHERE id = ?", id);
    this.#run("DELETE FROM steps WHERE run = ?", id);
    this.#run("DELETE FROM artifacts WHERE run = ?", id);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#database.prepare(sql).all(...values) as unknown as T[];
  }
}
