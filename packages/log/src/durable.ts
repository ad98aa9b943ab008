import { closeSync, fsync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

/** Writes that survive a power cut: each file flushed, then each directory that got a new name. */

const flush = promisify(fsync);
const flushesDirectories = process.platform !== "win32";

/** Files below one directory that become durable together. */
export class DurableDirectory {
  readonly #root: string;
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = resolve(root);
  }

  /**
   * Creates a directory. When it is new to this process, the names of all directories above it are to be flushed: the
   * process that made them may have died before it did so.
   */
  #makeDirectory(path: string, unflushed: Set<string>): void {
    if (this.#made.has(path)) return;
    mkdirSync(path, { recursive: true });
    for (let at = path; at.length > this.#root.length; at = dirname(at)) unflushed.add(dirname(at));
    this.#made.add(path);
  }

  /**
   * Writes files, flushes them at once in parallel, then their directories below the root. When it throws, all files are taken away.
   * @param files path below the root to content; an existing file is overwritten in place
   */
  async write(files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
    const open: number[] = [];
    const directories = new Set<string>();
    try {
      try {
        for (const [name, content] of files) {
          const path = join(this.#root, name);
          this.#makeDirectory(dirname(path), directories);
          // A name at the top is only ever a checkpoint on its way, which is published by another name.
          if (dirname(path) !== this.#root) directories.add(dirname(path));
          const fd = openSync(path, "w", 0o644);
          open.push(fd);
          writeAll(fd, content);
        }
        await settle(open.map((fd) => flush(fd)));
      } finally {
        for (const fd of open) closeSync(fd);
      }
      await flushDirectories(directories);
    } catch (error) {
      for (const name of files.keys()) rmSync(join(this.#root, name), { force: true });
      this.#made.clear();
      throw error;
    }
  }

  /** Gives a written file its final name, and flushes that. */
  async publish(from: string, to: string): Promise<void> {
    renameSync(join(this.#root, from), join(this.#root, to));
    await flushDirectories([dirname(join(this.#root, to))]);
  }
}

/** Flushes the names in directories. On Windows a directory cannot be opened, and NTFS journals names by itself. */
export async function flushDirectories(directories: Iterable<string>): Promise<void> {
  if (!flushesDirectories) return;
  const open = [...directories].map((path) => openSync(path, "r"));
  try {
    await settle(open.map((fd) => flush(fd)));
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** Waits for all, then throws the first failure: no descriptor is closed under a flush that still runs. */
async function settle(flushes: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(flushes)) if (result.status === "rejected") throw result.reason;
}

function writeAll(fd: number, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  // A full disk first shows as a short write.
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
