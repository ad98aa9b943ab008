import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Directories that are made once, named by what decides them, and used by many steps. */

/** What was not used for so long goes: a host whose resolver changes daily would fill its disk with views. */
const unusedMs = 30 * 24 * 3600 * 1000;

/** Puts a directory that was made aside in its place; whoever was first stays. Gives the place. */
export function publishDirectory(making: string, path: string): string {
  try {
    renameSync(making, path);
  } catch {
    rmSync(making, { recursive: true, force: true });
  }
  return path;
}

/** Deletes what nobody used for a month. */
export function removeUnused(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > unusedMs) rmSync(path, { recursive: true, force: true });
  }
}
