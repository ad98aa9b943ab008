import { lstatSync } from "node:fs";
import { join, relative } from "node:path";
import { workerErrors } from "./errors.ts";
import type { StepMount } from "./job.ts";

/**
 * Places of nested mounts that the input below them does not have yet, relative to it; a file's ends with NUL.
 * A way through a symbolic link or through a file is refused: the link comes from the source.
 */
export function missingPlaces(mount: StepMount, places: readonly string[], mounts: readonly StepMount[]): string[] {
  const missing: string[] = [];
  for (const place of places) {
    if (!place.startsWith(`${mount.at}/`)) continue;
    const between = mounts.some(
      (other) =>
        other.at !== mount.at &&
        other.at !== place &&
        other.at.startsWith(`${mount.at}/`) &&
        place.startsWith(`${other.at}/`),
    );
    if (between) continue;
    const nested = mounts.find((other) => other.at === place);
    const wantsFile = nested !== undefined && lstatSync(nested.host).isFile();
    const way = relative(mount.at, place);
    let path = mount.host;
    let found = true;
    for (const [index, step] of way.split("/").entries()) {
      path = join(path, step);
      const entry = lstatSync(path, { throwIfNoEntry: false });
      const last = index === way.split("/").length - 1;
      if (entry === undefined) {
        found = false;
        break;
      }
      if (last && wantsFile ? !entry.isFile() : !entry.isDirectory()) {
        throw workerErrors.make(
          "JOB_INVALID",
          `expected a ${wantsFile && last ? "file" : "directory"} at ${way} of ${mount.at} to mount over, found another kind`,
        );
      }
    }
    if (!found) missing.push(wantsFile ? `${way}\0` : way);
  }
  return missing;
}
