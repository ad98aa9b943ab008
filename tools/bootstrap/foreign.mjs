// Native parts for other systems that npm left out of the lockfile, since the registry it was made with did not serve
// them. `npm ci` demands an entry for each, though it would not install one: it gets entries that fit no system. What is
// not locked with a digest is therefore never installed, on any system.

import { readFileSync, writeFileSync } from "node:fs";
import { resolvePackage } from "./locked.mjs";

/** Adds an entry that fits no system for every optional dependency that is not locked. Changes `packages`. */
export function addForeignParts(packages) {
  for (const [path, entry] of Object.entries({ ...packages })) {
    if (path === "" || entry.inBundle === true) continue;
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const pinned = /^=?(\d+\.\d+\.\d+[\w.+-]*)$/.exec(range)?.[1];
      const found = resolvePackage(packages, path, name);
      if (found !== undefined && (pinned === undefined || packages[found].version === pinned)) continue;
      const at = found === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`;
      const dev = entry.dev === true ? { dev: true } : {};
      packages[at] = { version: pinned ?? "0.0.0", cpu: ["none"], ...dev, optional: true, os: ["none"] };
    }
  }
  return packages;
}

/** Adds the entries to a lockfile, in npm's own order. Returns how many were added. */
export function completeLockfile(path) {
  const text = readFileSync(path, "utf8");
  const lock = JSON.parse(text);
  const before = Object.keys(lock.packages).length;
  addForeignParts(lock.packages);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(sorted);
  const completed = `${JSON.stringify(lock, null, 2)}\n`;
  if (completed !== text) writeFileSync(path, completed);
  return sorted.length - before;
}
