import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { asStoreError } from "@touchmark/store";
import { registryBackendErrors } from "../errors.ts";
import { registrySchema, SCHEMA_VERSION } from "./registry-schema.ts";

/** A row of the database. */
export type Row = Record<string, string | number | Uint8Array | null>;

interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * The metadata of a registry. Writes wait for one another: all that come while a commit is on its way share the next
 * one, and are acknowledged once it is on the disk (group commit).
 */
export class RegistryDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #waiting: Job[] = [];
  #scheduled = false;

  constructor(path: string) {
    this.#database = open(path);
  }

  /** One row, or undefined. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  /** Changes rows; only inside `write`. Answers how many. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /**
   * Runs `work` in a transaction with others, and answers what it answered once that is durable. What it throws undoes
   * its own changes only.
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After all that the system has reported by now, so that what came in together is committed together.
      setImmediate(() => this.#flush());
    });
  }

  close(): void {
    this.#flush();
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #flush(): void {
    this.#scheduled = false;
    const jobs = this.#waiting;
    this.#waiting = [];
    if (jobs.length === 0) return;
    const done: [Job, unknown][] = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const job of jobs) {
        try {
          done.push([job, this.#inSavepoint(job.work)]);
        } catch (cause) {
          if (!this.#database.isTransaction) throw cause;
          job.reject(asStoreError(cause, "writing the registry"));
        }
      }
      this.#database.exec("COMMIT");
    } catch (cause) {
      // A full disk makes SQLite roll back by itself.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
      const error = asStoreError(cause, "writing the registry");
      // Those that were refused already know.
      for (const { reject } of jobs) reject(error);
      return;
    }
    for (const [job, value] of done) job.resolve(value as never);
  }

  #inSavepoint(work: () => unknown): unknown {
    this.#database.exec("SAVEPOINT job");
    try {
      const value = work();
      this.#database.exec("RELEASE job");
      return value;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK TO job; RELEASE job");
      throw cause;
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  try {
    // Nothing in a database that somebody planted runs by itself.
    database.exec("PRAGMA trusted_schema = OFF");
    prepare(database);
    database.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384");
    return database;
  } catch (cause) {
    database.close();
    const { errcode } = cause as { errcode?: number };
    // 11 corrupt, 26 not a database.
    if (errcode === 11 || errcode === 26) throw foreign(path, "a file that is no sound database", cause);
    throw asStoreError(cause, "opening the registry");
  }
}

/** Makes the tables where there are none; refuses all others, since a trigger or a view could say anything. */
function prepare(database: DatabaseSync): void {
  const version = () => Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  const objects = () =>
    database
      .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
      .all()
      .map(({ sql }) => String(sql));
  if (version() === 0) {
    database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    // Another process may have made the tables meanwhile.
    if (version() === 0 && objects().length === 0) {
      database.exec(`${registrySchema.join(";\n")};\nPRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    database.exec("COMMIT");
  }
  const expected = new Set(registrySchema);
  const found = objects();
  if (version() !== SCHEMA_VERSION || found.length !== expected.size || !found.every((sql) => expected.has(sql))) {
    throw foreign("the registry's directory", `version ${version()} with ${found.length} tables, indexes and others`);
  }
  // A copy from a backup has another mode.
  database.exec("PRAGMA journal_mode = WAL");
}

function foreign(path: string, found: string, cause?: unknown): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_DATABASE_FOREIGN",
    `expected a registry's database of version ${SCHEMA_VERSION} in ${path}, found ${found}`,
    { cause },
  );
}
