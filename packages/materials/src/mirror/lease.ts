import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { digestHex, isFactoryError, sha256 } from "@touchmark/core";
import { type Lock, takeLock } from "@touchmark/store";
import { mirrorErrors } from "./errors.ts";

/** How long to wait for who downloads the same. */
export interface LeaseOptions {
  /** Longest wait in milliseconds. Default ten minutes. */
  readonly timeoutMs?: number;
}

/** A download that is ours alone. Releasing twice is harmless. */
export interface Lease {
  release(): Promise<void>;
}

const TEN_MINUTES = 600_000;

/**
 * Leases by key: the kernel's lock on a file of the key's own, which a dead holder releases. Within this process they
 * wait in line, first come first served.
 */
export class Leases {
  readonly #directory: string;
  /** Ends of the lines in this process. */
  readonly #lines = new Map<string, Promise<void>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws MIRROR_LEASE_BUSY */
  async take(key: string, options: LeaseOptions = {}): Promise<Lease> {
    const timeout = options.timeoutMs ?? TEN_MINUTES;
    const deadline = performance.now() + timeout;
    const path = join(this.#directory, `lease-${digestHex(sha256(key))}.lock`);
    const before = this.#lines.get(path);
    let leave: () => void = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const line = (before ?? Promise.resolve()).then(() => left);
    this.#lines.set(path, line);
    const out = () => {
      leave();
      if (this.#lines.get(path) === line) this.#lines.delete(path);
    };
    try {
      if (before !== undefined) await within(before, deadline, key);
      const lock = await lockOwnFile(path, deadline, key);
      return {
        release: async () => {
          if (!lock.held) return;
          lock.held = false;
          // Deleted while it is held: whoever waits on the deleted file notices, and takes the next one.
          try {
            rmSync(path, { force: true });
          } finally {
            lock.lock.release();
            out();
          }
        },
      };
    } catch (cause) {
      out();
      throw cause;
    }
  }
}

/** Takes the lock on the file that has the name when the lock is held; never on one that was deleted meanwhile. */
async function lockOwnFile(path: string, deadline: number, key: string): Promise<{ lock: Lock; held: boolean }> {
  for (;;) {
    const before = inode(path);
    const left = Math.max(0, deadline - performance.now());
    let lock: Lock;
    try {
      // In short turns: the file that one waits for may be deleted at any time.
      lock = await takeLock(path, { timeoutMs: Math.min(left, 1000) });
    } catch (cause) {
      if (!isFactoryError(cause) || cause.code !== "STORE_LOCK_BUSY") throw cause;
      if (left > 0) continue;
      throw busy(key);
    }
    // A file that was not there before is ours or another's: only a second look tells.
    if (before !== undefined && inode(path) === before) return { lock, held: true };
    lock.release();
    if (before !== undefined && performance.now() >= deadline) throw busy(key);
  }
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

async function within(work: Promise<void>, deadline: number, key: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(busy(key)), Math.max(0, deadline - performance.now()));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function busy(key: string): Error {
  return mirrorErrors.make("MIRROR_LEASE_BUSY", `expected the download of ${key} to end, found it still going on`);
}
