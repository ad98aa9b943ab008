import { setTimeout as sleep } from "node:timers/promises";
import { logErrors } from "./errors.ts";

/**
 * A lock that the kernel takes back when its holder dies. Node offers no flock, but SQLite holds byte-range locks on its
 * file (LockFileEx on Windows), and an exclusive transaction that writes nothing costs 13 µs and touches no block.
 * Nothing else may open the file: on POSIX, closing any descriptor of it in the same process gives the lock up.
 */
export interface ProcessLock {
  /** Waits for the lock. @throws LOG_LOCKED after the time */
  acquire(timeoutMs: number): Promise<void>;
  release(): void;
  /** True when somebody else was seen holding the lock within the last second. */
  contended(): boolean;
  close(): void;
}

const busy = 5;

/** Opens a lock file, and creates it when missing. */
export async function openLock(path: string): Promise<ProcessLock> {
  // Loaded on first use: readers on a Node without SQLite do not need it.
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path, { timeout: 0 });
  // With the journal in memory and a rollback at the end, nothing is ever written: the file stays empty, a full disk or
  // a kill cannot spoil it. Setting that reads the file, so it waits its turn too.
  let begin = "PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE";
  let seenBusy = Number.NEGATIVE_INFINITY;
  return {
    async acquire(timeoutMs) {
      const start = performance.now();
      for (;;) {
        try {
          database.exec(begin);
          begin = "BEGIN EXCLUSIVE";
          return;
        } catch (cause) {
          if ((cause as { errcode?: number }).errcode !== busy) throw cause;
          seenBusy = performance.now();
          if (seenBusy - start > timeoutMs) {
            throw logErrors.make("LOG_LOCKED", `expected the lock ${path} within ${timeoutMs} ms`, { cause });
          }
        }
        await sleep(1 + Math.random() * 2);
      }
    },
    release: () => database.exec("ROLLBACK"),
    contended: () => performance.now() - seenBusy < 1000,
    close: () => database.close(),
  };
}
