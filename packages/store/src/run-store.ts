import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "@touchmark/core";
import { makeDirectory, syncDirectory, writeAll, writeFileAtomically } from "./durable-file.ts";
import { storeErrors } from "./errors.ts";
import type { Home } from "./home.ts";
import { type Lock, takeLock, tryLock } from "./kernel-lock.ts";
import { removeTree } from "./remove-tree.ts";
import { parseRunRecord, type RunRecord } from "./run-record.ts";
import { asStoreError, guarded, isAbsent } from "./system-failure.ts";

/** What a run begins with; the rest of its record starts empty. */
export type NewRun = Pick<RunRecord, "project" | "pipeline"> & Partial<Pick<RunRecord, "steps" | "details">>;

/** Parts of a record that may change while the run goes on. */
export type RunChange = Partial<
  Pick<RunRecord, "steps" | "artifacts" | "bundles" | "details" | "pipeline" | "project">
>;

/** A run going on in this process. */
export interface OpenRun {
  readonly id: string;
  /** `runs/<id>` */
  readonly directory: string;
  /** The record as last written. */
  readonly record: RunRecord;
  /** Replaces parts of the record, atomically; it survives `kill -9`, and a power cut from `finish` on. */
  update(change: RunChange | ((record: RunRecord) => RunChange)): Promise<RunRecord>;
  /** Opens the log of a step for appending. */
  log(step: string): RunLog;
  /** Writes how the run ended, durably, and lets go of it. */
  finish(state: "succeeded" | "failed" | "refused" | "cancelled", change?: RunChange): Promise<RunRecord>;
}

/** The log of one step. */
export interface RunLog {
  readonly path: string;
  write(chunk: Uint8Array): void;
  close(): void;
}

/** Records and logs of runs (SPEC R). */
export interface RunStore {
  /** Begins a run, held by this process until it finishes. */
  create(run: NewRun): Promise<OpenRun>;
  /**
   * A run's record. One that says `running` while no process holds it is shown as `interrupted`.
   * @throws STORE_RUN_MISSING | STORE_RUN_CORRUPT
   */
  get(id: string): Promise<RunRecord>;
  /** Ids, newest first. */
  ids(): string[];
  /** Records, newest first, from before the given id. Unreadable ones are left out; `fsck` names them. */
  list(options?: { readonly limit?: number; readonly before?: string }): Promise<RunRecord[]>;
  /** A step's log, or its last `maxBytes` (default 1 MiB). Empty when the step wrote none. @throws STORE_RUN_MISSING */
  readLog(id: string, step: string, options?: { readonly maxBytes?: number }): Promise<Uint8Array>;
  /** `runs/<id>`. @throws STORE_RUN_MISSING for text that is no id */
  directory(id: string): string;
  /** True while some process holds the run. */
  isLive(id: string): Promise<boolean>;
  /** Deletes record and logs. @throws STORE_RUN_LIVE */
  delete(id: string): Promise<number>;
}

const idShape = /^[0-9]{8}-[0-9]{9}-[0-9a-f]{8}$/;

/** A new run id: UTC time to the millisecond, then random; sorts by time. */
export function newRunId(at: Date): string {
  const digits = at.toISOString().replace(/[^0-9]/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 17)}-${randomBytes(4).toString("hex")}`;
}

/** Opens the home's run store. */
export function openRunStore(home: Home, clock: Clock = systemClock): RunStore {
  const runs = home.paths.runs;

  function directory(id: string): string {
    if (!idShape.test(id)) throw missing(id);
    return join(runs, id);
  }

  async function isLive(id: string): Promise<boolean> {
    const path = join(directory(id), "lock");
    if (!existsSync(path)) return false;
    const lock = await tryLock(path);
    lock?.release();
    return lock === undefined;
  }

  async function get(id: string): Promise<RunRecord> {
    const read = () => parseRunRecord(readRecord(directory(id), id), id);
    const record = read();
    if (record.state !== "running" || (await isLive(id))) return record;
    // It may have finished between the two looks.
    const again = read();
    return again.state === "running" ? { ...again, state: "interrupted" } : again;
  }

  const ids = () =>
    readdirSync(runs)
      .filter((name) => idShape.test(name))
      .sort()
      .reverse();

  return {
    create: (run) => guarded("beginning a run", () => create(home, clock, run)),
    get: (id) => guarded("reading a run's record", () => get(id)),
    ids,
    list: (options = {}) =>
      guarded("listing runs", async () => {
        const found: RunRecord[] = [];
        for (const id of ids()) {
          if (found.length >= (options.limit ?? 100)) break;
          if (options.before !== undefined && id >= options.before) continue;
          // A run being created has no record yet, one being pruned has none any more.
          const record = await get(id).catch(() => undefined);
          if (record !== undefined) found.push(record);
        }
        return found;
      }),
    readLog: (id, step, options = {}) =>
      guarded("reading a step's log", () => {
        if (!existsSync(directory(id))) throw missing(id);
        return readTail(logPath(directory(id), step), options.maxBytes ?? 1024 * 1024);
      }),
    directory,
    isLive: (id) => guarded("looking at a run", () => isLive(id)),
    delete: (id) =>
      guarded("deleting a run", async () => {
        if (await isLive(id))
          throw storeErrors.make("STORE_RUN_LIVE", `expected run ${id} to be over, found it going on`);
        const aside = await home.scratch("run");
        try {
          renameSync(directory(id), join(aside, "run"));
          return removeTree(join(aside, "run"));
        } catch (cause) {
          if (isAbsent(cause)) return 0;
          throw cause;
        } finally {
          await home.releaseScratch(aside);
        }
      }),
  };
}

async function create(home: Home, clock: Clock, run: NewRun): Promise<OpenRun> {
  const now = clock.now();
  const id = newRunId(now);
  const directory = join(home.paths.runs, id);
  // Built aside and moved in, so that a run is never seen without its record or its lock.
  const staging = await home.scratch("run");
  let lock: Lock;
  let record: RunRecord = {
    format: "touchmark run v1",
    id,
    state: "running",
    project: run.project,
    pipeline: run.pipeline,
    startedAt: now.toISOString(),
    finishedAt: null,
    steps: run.steps ?? [],
    artifacts: [],
    bundles: [],
    details: run.details ?? {},
  };
  try {
    makeDirectory(join(staging, "logs"));
    writeRecord(staging, record, false);
    // The kernel's lock follows the file through the rename.
    lock = await takeLock(join(staging, "lock"));
    renameSync(staging, directory);
  } finally {
    await home.releaseScratch(staging);
  }
  const write = (next: RunRecord, durable: boolean): RunRecord => {
    writeRecord(directory, next, durable);
    record = next;
    return next;
  };
  return {
    id,
    directory,
    get record() {
      return record;
    },
    update: (change) =>
      guarded("updating a run's record", () =>
        write({ ...record, ...(typeof change === "function" ? change(record) : change) }, false),
      ),
    log: (step) => openLog(directory, step),
    finish: (state, change = {}) =>
      guarded("finishing a run", () => {
        const finishedAt = clock.now().toISOString();
        const done = write({ ...record, ...change, state, finishedAt }, true);
        syncDirectory(home.paths.runs);
        lock.release();
        return done;
      }),
  };
}

function writeRecord(directory: string, record: RunRecord, durable: boolean): void {
  writeFileAtomically(join(directory, "run.json"), `${JSON.stringify(record, null, 2)}\n`, { durable });
}

function readRecord(directory: string, id: string): Buffer {
  try {
    return readFileSync(join(directory, "run.json"));
  } catch (cause) {
    throw isAbsent(cause) ? missing(id) : cause;
  }
}

function missing(id: string): Error {
  return storeErrors.make("STORE_RUN_MISSING", `expected the id of a run, found ${JSON.stringify(id.slice(0, 80))}`);
}

function logPath(directory: string, step: string): string {
  // A step's name comes from the project's file: it may not choose the place.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(step)) throw missing(step);
  return join(directory, "logs", `${step}.log`);
}

function openLog(directory: string, step: string): RunLog {
  const path = logPath(directory, step);
  let descriptor: number | undefined = openSync(path, "a", 0o600);
  return {
    path,
    write: (chunk) => {
      if (descriptor === undefined) return;
      try {
        writeAll(descriptor, chunk);
      } catch (cause) {
        throw asStoreError(cause, "writing a step's log");
      }
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function readTail(path: string, maxBytes: number): Uint8Array {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return new Uint8Array();
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const size = fstatSync(descriptor).size;
    const bytes = Buffer.alloc(Math.min(size, maxBytes));
    const count = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, count);
  } finally {
    closeSync(descriptor);
  }
}
