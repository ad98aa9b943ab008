import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeDirectory } from "./durable-file.ts";
import { type Lock, takeLock, tryLock } from "./kernel-lock.ts";
import { removeTree } from "./remove-tree.ts";

const TRASH = "trash-";

/**
 * The scratch of one process: `work/<owner>/`, owned for as long as the process holds the lock `locks/scratch-<owner>.lock`.
 * Made at first use, so that a command that needs none pays nothing.
 */
export class ScratchSpace {
  readonly #work: string;
  readonly #locks: string;
  #owner: Promise<{ directory: string; lock: Lock; lockFile: string }> | undefined;

  constructor(work: string, locks: string) {
    this.#work = work;
    this.#locks = locks;
  }

  /** An empty directory named `<prefix>-<random>`. */
  async make(prefix: string): Promise<string> {
    this.#owner ??= this.#open();
    const { directory } = await this.#owner;
    const made = join(directory, `${prefix}-${randomBytes(6).toString("hex")}`);
    mkdirSync(made, { mode: 0o700 });
    return made;
  }

  async release(directory: string): Promise<void> {
    const owner = await this.#owner;
    if (owner === undefined || dirname(directory) !== owner.directory) {
      throw new TypeError(`not a scratch directory of this process: ${directory}`);
    }
    removeTree(directory);
  }

  async close(): Promise<void> {
    const owner = await this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    removeTree(owner.directory);
    rmSync(owner.lockFile, { force: true });
    owner.lock.release();
  }

  async #open(): Promise<{ directory: string; lock: Lock; lockFile: string }> {
    // Under the common lock, so that no reclaimer meets the owner's lock file before it is held.
    const common = await takeLock(join(this.#locks, "scratch.lock"));
    try {
      const name = `${process.pid}-${randomBytes(4).toString("hex")}`;
      const lockFile = join(this.#locks, `scratch-${name}.lock`);
      const lock = await takeLock(lockFile);
      const directory = join(this.#work, name);
      makeDirectory(directory);
      return { directory, lock, lockFile };
    } finally {
      common.release();
    }
  }
}

/** Deletes the scratch of processes that are no more. Two reclaimers at once are harmless. */
export async function reclaimScratch(work: string, locks: string): Promise<void> {
  const found = readdirSync(work).filter((name) => name !== "CACHEDIR.TAG");
  if (found.length === 0) return;
  const common = await takeLock(join(locks, "scratch.lock"));
  try {
    for (const name of found) {
      if (name.startsWith(TRASH)) continue;
      const lockFile = join(locks, `scratch-${name}.lock`);
      const lock = await tryLock(lockFile);
      if (lock === undefined) continue;
      moveAside(join(work, name));
      rmSync(lockFile, { force: true });
      lock.release();
    }
  } finally {
    common.release();
  }
  // The deletion itself, which may take long, needs no lock.
  for (const name of readdirSync(work)) if (name.startsWith(TRASH)) removeTree(join(work, name));
}

function moveAside(path: string): void {
  try {
    renameSync(path, join(dirname(path), `${TRASH}${basename(path)}-${randomBytes(4).toString("hex")}`));
  } catch {
    // Its owner closed meanwhile; or a foreign file that the next line deletes in place.
    removeTree(path);
  }
}
