import { type MaterialsLock, writeMaterialsLock } from "@touchmark/formats/lockfiles";
import type { Factory } from "../factory.ts";
import { findRun } from "../lookup.ts";
import { materialsOfRun } from "./explain.ts";

/** A lock file made of what a run recorded. */
export interface RecordedLock {
  readonly run: string;
  readonly packages: number;
  readonly text: string;
}

/**
 * Writes down, as `touchmark-materials.lock.json`, what a run fetched and no lockfile names, for ecosystems that have
 * none of their own. What it names was recorded and not locked: whoever commits the file vouches for it.
 * @throws RUN_UNKNOWN
 */
export async function lockFromRun(factory: Factory, runName: string): Promise<RecordedLock> {
  const run = await findRun(factory, runName);
  const packages = new Map<string, { purl: string; files: { name: string; sha256: string }[] }>();
  for (const statement of await materialsOfRun(factory, run)) {
    for (const { purl, kind, locked, url, digest } of statement.materials) {
      if (purl === undefined || locked || kind !== "archive") continue;
      const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
      const row = packages.get(purl) ?? { purl, files: [] };
      if (!row.files.some((file) => file.name === name)) row.files.push({ name, sha256: digest.slice(7) });
      packages.set(purl, row);
    }
  }
  const list: MaterialsLock["packages"] = [...packages.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  return { run: run.id, packages: list.length, text: writeMaterialsLock(list) };
}
