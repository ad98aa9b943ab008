import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { Finding } from "./finding.ts";

interface LockEntry {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: string | readonly string[];
}

const page = "package-lock.json";

/** Everything that can be installed is locked by digest, from wherever the user's registry is, and runs no script. */
export function checkLockfile(text = readFileSync(join(repositoryRoot, page), "utf8")): Finding[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, LockEntry> };
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
