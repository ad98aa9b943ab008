import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { join, sep } from "node:path";
import { isAbsent } from "./system-failure.ts";

// Bytes below the top. With the top's own path well below PATH_MAX (4096 on Linux, 1024 on macOS).
const LONGEST_PATH = 700;

/**
 * Deletes a directory with everything in it, whatever a hostile step left there: unreadable directories, and
 * directories nested deeper than a path can spell. Links are deleted, never followed. Absence is success.
 * Returns the apparent size of the files deleted, in bytes.
 */
export function removeTree(path: string): number {
  let freed = 0;
  const pending: string[] = [path];
  // Directories go after what they hold; `pending` gains moved-up ones while the walk goes on.
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    freed += removeOne(path, next, pending);
  }
  return freed;
}

function removeOne(top: string, path: string, pending: string[]): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) {
    ignoreAbsence(() => unlinkSync(path));
    return stat.isFile() && stat.nlink === 1 ? stat.size : 0;
  }
  if ((stat.mode & 0o700) !== 0o700) ignoreAbsence(() => chmodSync(path, 0o700));
  let freed = 0;
  const deeper: string[] = [];
  // Names as bytes: a name that is not UTF-8 would otherwise not be found again.
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: "buffer" })) {
    const child = Buffer.concat([Buffer.from(path + sep), entry.name]);
    if (entry.isDirectory()) {
      const name = entry.name.toString();
      if (Buffer.from(name).equals(entry.name) && child.length - top.length < LONGEST_PATH) {
        deeper.push(join(path, name));
      } else {
        const moved = join(top, `.removing-${randomBytes(8).toString("hex")}`);
        // Moving a directory rewrites its `..`, which its owner needs write permission for.
        chmodSync(child, 0o700);
        renameSync(child, moved);
        pending.push(moved);
      }
    } else {
      const file = lstatSync(child, { throwIfNoEntry: false });
      if (file?.isFile() && file.nlink === 1) freed += file.size;
      ignoreAbsence(() => unlinkSync(child));
    }
  }
  if (deeper.length === 0 && !(path === top && pending.length > 0)) {
    ignoreAbsence(() => rmdirSync(path));
    return freed;
  }
  pending.splice(path === top ? 0 : pending.length, 0, path);
  pending.push(...deeper);
  return freed;
}

function ignoreAbsence(work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
  }
}
