import { join } from "node:path";
import { makeDirectory, writeFileAtomically } from "./durable-file.ts";

/**
 * Takes a home from one version to the next. It may be killed anywhere and run again from the start, so each must
 * bring about a state rather than make a change.
 */
export type Migration = (home: string) => void;

/** For each version, the way to the next one. The newest version is the one no row leads from. */
export type Migrations = ReadonlyMap<number, Migration>;

/** Text of a version file. */
export function versionText(version: number): string {
  return `touchmark home ${version}\n`;
}

/** Version that a version file names, or undefined for any other text. */
export function parseVersion(text: string): number | undefined {
  const match = /^touchmark home ([1-9][0-9]{0,5})\n$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** The newest version that a table leads to. */
export function newestVersion(migrations: Migrations): number {
  return Math.max(0, ...migrations.keys()) + 1;
}

/** Text of a tag that tells backup programs to pass over a directory (Cache Directory Tagging Specification). */
const CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by Touchmark: can be made again.\n";

/** Marks the directories of a home that can be made again. */
export function tagCaches(home: string): void {
  for (const name of ["cache", "work"]) writeFileAtomically(join(home, name, "CACHEDIR.TAG"), CACHE_TAG);
}

/** The mirror of what comes in has a place of its own. */
function placeForMaterials(home: string): void {
  makeDirectory(join(home, "materials"));
}

/** The registry has a place of its own. */
function placeForRegistry(home: string): void {
  makeDirectory(join(home, "registry"));
}

/** Every version of the home there was. */
export const homeMigrations: Migrations = new Map<number, Migration>([
  // 1 -> 2: directories that can be made again say so.
  [1, tagCaches],
  // 2 -> 3: a place for the mirror. An older program would prune the bodies in it.
  [2, placeForMaterials],
  // 3 -> 4: a place for the registry. An older program would prune its content.
  [3, placeForRegistry],
]);

/** Writes a version file : the last act of a migration. */
export function writeVersion(home: string, version: number): void {
  writeFileAtomically(join(home, "version"), versionText(version));
}
