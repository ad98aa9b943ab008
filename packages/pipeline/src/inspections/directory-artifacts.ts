import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { digestOfFile } from "../file-digest.ts";
import { inspectionErrors } from "./errors.ts";

/** Most files of one directory that are looked at. */
const MAX_FILES = 100_000;

/**
 * Every file of a directory by its path, with its digest: links and special files too, so that nothing which lies there
 * is overlooked. A link to a file within counts as that file; another is known by where it leads, which is not followed.
 * @throws LAYOUT_INSPECTION_PRODUCT
 */
export function artifactsBelow(directory: string, most = MAX_FILES): ReadonlyMap<string, Digest> {
  const root = realpathSync(directory);
  const found = new Map<string, Digest>();
  const waiting = [""];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    try {
      for (const name of readdirSync(join(root, below))) {
        const path = below === "" ? name : `${below}/${name}`;
        if (lstatSync(join(root, path)).isDirectory()) waiting.push(path);
        else found.set(path, digestAt(root, path));
        if (found.size + waiting.length > most) {
          throw inspectionErrors.make("LAYOUT_INSPECTION_PRODUCT", `expected at most ${most} files`);
        }
      }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === undefined || !/^E[A-Z]+$/.test(code)) throw cause;
      throw inspectionErrors.make("LAYOUT_INSPECTION_PRODUCT", `${JSON.stringify(below)} cannot be read: ${code}`, {
        cause,
      });
    }
  }
  return new Map([...found].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function digestAt(root: string, path: string): Digest {
  const place = join(root, path);
  const entry = lstatSync(place);
  if (entry.isFile()) return digestOfFile(place);
  if (!entry.isSymbolicLink()) return sha256(`special file of mode ${entry.mode.toString(8)}`);
  const target = targetWithin(root, place);
  return target === undefined ? sha256(`link to ${readlinkSync(place)}`) : digestOfFile(target);
}

function targetWithin(root: string, link: string): string | undefined {
  try {
    const real = realpathSync(link);
    return real.startsWith(root + sep) && statSync(real).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}
