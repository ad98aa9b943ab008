import type { DatabaseSync } from "node:sqlite";
import { storeErrors } from "./errors.ts";

/** A held lock. Releasing twice is harmless; the kernel releases it when the process ends, however it ends. */
export interface Lock {
  release(): void;
}

/** How to take a lock. */
export interface LockOptions {
  /** Several may hold it shared; nobody beside an exclusive holder. Default exclusive. */
  readonly shared?: boolean;
  /** Longest wait in milliseconds. Default 30,000; 0 asks once. */
  readonly timeoutMs?: number;
}

/**
 * Takes a lock that every process and thread on this host respects, and that `kill -9` releases.
 *
 * The lock is the kernel's advisory lock on the file, taken through SQLite: Node offers no flock, while SQLite locks
 * portably (fcntl, LockFileEx) and, unlike bare fcntl locks, also keeps two holders in one process apart. Nothing is
 * ever written to the file, and nothing else may open it, since closing any descriptor drops fcntl locks.
 * @throws STORE_LOCK_BUSY
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const lock = await tryLock(path, options.shared === true);
    if (lock !== undefined) return lock;
    if (performance.now() >= deadline) {
      throw storeErrors.make("STORE_LOCK_BUSY", `expected ${path} to become free, found it held by another process`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Takes a lock if nobody holds it in the way, else answers undefined at once. */
export async function tryLock(path: string, shared = false): Promise<Lock | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // No journal file: it would lie under the name that the lock file had when it was opened.
    database.exec("PRAGMA journal_mode = MEMORY");
    if (shared) {
      database.exec("BEGIN");
      // Reading is what takes SQLite's shared lock; BEGIN alone is lazy.
      database.prepare("SELECT count(*) FROM sqlite_schema").get();
    } else {
      database.exec("BEGIN EXCLUSIVE");
    }
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: number }).errcode === 5) return undefined;
    throw cause;
  }
  return { release: () => close(database) };
}

function close(database: DatabaseSync): void {
  if (database.isOpen) database.close();
}
