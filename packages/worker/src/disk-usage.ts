import { chmodSync, lchownSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";

/** What a directory holds. */
export interface DiskUsage {
  readonly bytes: number;
  readonly entries: number;
  /** True when something could not be counted: a path longer than the kernel takes. */
  readonly unreachable: boolean;
}

/** Entries after which counting stops: no honest step makes so many. */
const mostEntries = 5_000_000;

/**
 * Counts a directory that a step writes, alive or dead. A file counts by its size or its blocks, whichever is more
 * (a sparse one costs whoever reads it), and never less than 512 bytes (inodes are not free). Symbolic links are
 * counted, not followed. With `takeFor`, each entry also becomes ours: owner, no set-id bits, directories we can enter.
 */
export async function measureUsage(
  directory: string,
  takeFor?: { user: number; group: number } | "self",
): Promise<DiskUsage> {
  let bytes = 0;
  let entries = 0;
  let unreachable = false;
  let turn = performance.now();
  const waiting = [directory];
  if (takeFor !== undefined) take(directory, lstatSync(directory), takeFor);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    let names: string[];
    try {
      names = readdirSync(path);
    } catch (error) {
      if (isCode(error, "ENAMETOOLONG")) unreachable = true;
      continue;
    }
    for (const name of names) {
      const child = join(path, name);
      let entry: Stats;
      try {
        entry = lstatSync(child);
        if (takeFor !== undefined) take(child, entry, takeFor);
      } catch (error) {
        if (isCode(error, "ENAMETOOLONG")) unreachable = true;
        continue;
      }
      entries += 1;
      bytes += Math.max(entry.isFile() ? entry.size : 0, entry.blocks * 512, 512);
      if (entry.isDirectory()) waiting.push(child);
      if (entries >= mostEntries) return { bytes: Number.MAX_SAFE_INTEGER, entries, unreachable };
    }
    if (performance.now() - turn > 10) {
      await pause();
      turn = performance.now();
    }
  }
  return { bytes, entries, unreachable };
}

function take(path: string, entry: Stats, owner: { user: number; group: number } | "self"): void {
  if (owner !== "self" && (entry.uid !== owner.user || entry.gid !== owner.group))
    lchownSync(path, owner.user, owner.group);
  if (entry.isSymbolicLink()) return;
  const mode = entry.mode & 0o1777 & (entry.isDirectory() ? 0o1777 : 0o777);
  const wanted = entry.isDirectory() ? mode | 0o700 : mode;
  if ((entry.mode & 0o7777) !== wanted) chmodSync(path, wanted);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
