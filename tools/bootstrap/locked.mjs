// Reads package-lock.json, the only word on versions and digests that the set-up believes.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./progress.mjs";

/** The `packages` table of a lockfile. */
export function lockedPackages(root) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  if (lock.lockfileVersion !== 3) throw new SetupError(`expected lockfile version 3, found ${lock.lockfileVersion}`);
  return lock.packages;
}

/** Name, version and integrity of a top-level package. */
export function lockedPackage(packages, name) {
  const entry = packages[`node_modules/${name}`];
  if (!entry?.version || !entry.integrity?.includes("sha512-")) {
    throw new SetupError(`package-lock.json has no version and sha512 of ${name}`, [
      "restore package-lock.json from git",
    ]);
  }
  return { name, version: entry.version, integrity: entry.integrity };
}

/** True when bytes have one of the sha512 digests of an integrity string. */
export function matchesIntegrity(bytes, integrity) {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  return integrity.split(/\s+/).includes(found);
}

/**
 * What node_modules lacks against the lockfile: undefined when it is complete, else a reason.
 * Every package is looked at, because npm may leave native parts out and still succeed.
 */
export function missingModules(root, modules = join(root, "node_modules")) {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages;
  } catch {
    return "no complete node_modules";
  }
  const packages = lockedPackages(root);
  for (const path of neededHere(packages)) {
    const entry = packages[path];
    const here = installed[path];
    const name = path.slice("node_modules/".length);
    if (here === undefined) return `${name} is not installed`;
    // A workspace link is judged by the link alone: its target may be elsewhere until the tree is in place.
    if (entry.link === true) continue;
    if (here.version !== entry.version || here.integrity !== entry.integrity) return `${name} is another version`;
    if (!existsSync(join(modules, name, "package.json"))) return `${name} is damaged`;
  }
  return undefined;
}

/** Paths of all packages that an installation on this system must have. */
function neededHere(packages) {
  const needed = new Set();
  const waiting = Object.keys(packages).filter((path) => !path.includes("node_modules/"));
  for (const path of waiting) {
    const { dependencies, devDependencies, optionalDependencies, peerDependencies } = packages[path];
    const development = path.includes("node_modules/") ? {} : devDependencies;
    for (const name of Object.keys({ ...dependencies, ...development, ...optionalDependencies, ...peerDependencies })) {
      const found = resolvePackage(packages, path, name);
      if (found === undefined || needed.has(found) || !fitsHere(packages[found])) continue;
      needed.add(found);
      waiting.push(found);
    }
  }
  // The links to the workspaces themselves.
  for (const [path, entry] of Object.entries(packages)) if (entry.link === true) needed.add(path);
  return needed;
}

/** Where Node finds a package from another one: the nearest node_modules that holds it. */
export function resolvePackage(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    const candidate = base === "" ? `node_modules/${name}` : `${base}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (base === "") return undefined;
  }
}

/** Optional packages of other systems are left out on purpose. */
function fitsHere(entry) {
  if (entry.optional !== true && entry.devOptional !== true) return true;
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  return (
    allows(entry.os, process.platform) &&
    allows(entry.cpu, process.arch) &&
    (process.platform !== "linux" || allows(entry.libc, libc))
  );
}

function allows(rule, value) {
  if (rule === undefined) return true;
  const words = Array.isArray(rule) ? rule : [rule];
  if (words.includes(`!${value}`)) return false;
  const wanted = words.filter((word) => !word.startsWith("!"));
  return wanted.length === 0 || wanted.includes(value);
}
