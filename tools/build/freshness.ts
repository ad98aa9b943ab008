import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";

/** True when the bundle is there and no source changed after it was made; `bin/touchmark` asks the same by `find`. */
export function isFresh(directory: string): boolean {
  const stamp = statSync(join(directory, ".stamp"), { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  const isNewer = (path: string): boolean => statSync(path).mtimeMs > stamp.mtimeMs;
  const sources = join(repositoryRoot, "packages");
  if (isNewer(sources) || isNewer(join(repositoryRoot, "package-lock.json"))) return false;
  return !readdirSync(sources, { recursive: true, withFileTypes: true }).some(
    (entry) =>
      !/\.(test\.ts|md)$/.test(entry.name) && !entry.isSymbolicLink() && isNewer(join(entry.parentPath, entry.name)),
  );
}
