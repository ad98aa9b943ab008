import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { Finding } from "./finding.ts";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockEntry extends Manifest {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: string | readonly string[];
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

const page = "package-lock.json";

/** The manifests ask for what the lockfile has; `npm ci` refuses anything else, and it is better to hear it here. */
export function checkManifests(): Finding[] {
  const { packages } = JSON.parse(readFileSync(join(repositoryRoot, page), "utf8")) as Lockfile;
  return Object.entries(packages)
    .filter(([path]) => !path.includes("node_modules/"))
    .filter(([path, locked]) => {
      const text = readFileSync(join(repositoryRoot, path, "package.json"), "utf8");
      return dependenciesOf(JSON.parse(text) as Manifest) !== dependenciesOf(locked);
    })
    .map(([path]) => ({
      path: posix.join(path, "package.json"),
      message: "asks for other packages than package-lock.json has; run: npm install --package-lock-only",
    }));
}

function dependenciesOf({ dependencies, devDependencies, optionalDependencies }: Manifest): string {
  const sorted = (table: Readonly<Record<string, string>> = {}) =>
    Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([dependencies, devDependencies, optionalDependencies].map(sorted));
}

/** Everything that can be installed is locked by digest, from wherever the user's registry is, and runs no script. */
export function checkLockfile(text = readFileSync(join(repositoryRoot, page), "utf8")): Finding[] {
  const { packages } = JSON.parse(text) as Lockfile;
  const findings: Finding[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    const at = (message: string): void => void findings.push({ path: page, message: `${path}: ${message}` });
    if (entry.resolved !== undefined && entry.link !== true) at("names where it was downloaded; see .npmrc");
    if (!path.includes("node_modules/") || entry.link === true || entry.inBundle === true) continue;
    const fitsNoSystem = entry.optional === true && String(entry.os) === "none";
    if (!fitsNoSystem && !/\bsha512-/.test(entry.integrity ?? "")) at("is not locked by sha512");
    // fsevents compiles itself, on another system than ours and with scripts off.
    if (entry.hasInstallScript === true && entry.os === undefined) at("has an install script");
  }
  return findings;
}
