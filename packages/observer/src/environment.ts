import type { Digest } from "@touchmark/core";
import type { Observation } from "./observation.ts";
import { type HostPackage, openPackageDatabase, type PackageDatabaseOptions } from "./package-database.ts";

/** What of the host was really used: the material of the environment statement. */
export interface UsedEnvironment {
  readonly manager: "dpkg" | "none" | "unknown";
  /** Packages that own a file which was used, by name. */
  readonly packages: readonly HostPackage[];
  readonly files: readonly UsedFile[];
  /** False when a trace was incomplete, so that files may be missing. */
  readonly complete: boolean;
}

/** A file of the host that a step read or executed. */
export interface UsedFile {
  readonly path: string;
  readonly digest: Digest;
  readonly package?: string;
}

/** Sums up the files of the host that steps used, and the packages that they belong to. SPEC.md, O23. */
export function describeEnvironment(
  observations: Observation | readonly Observation[],
  options: PackageDatabaseOptions = {},
): UsedEnvironment {
  const all: readonly Observation[] = "files" in observations ? [observations] : observations;
  const database = openPackageDatabase(options);
  const packages = new Map<string, HostPackage>();
  const files = new Map<string, UsedFile>();
  for (const { path, digest, origin } of all.flatMap((seen) => seen.files.read)) {
    if (origin !== "toolchain" || digest === undefined || files.has(path)) continue;
    const owner = database.owner(path);
    if (owner !== undefined) packages.set(`${owner.name}:${owner.architecture}`, owner);
    files.set(path, { path, digest, ...(owner === undefined ? {} : { package: owner.name }) });
  }
  database.save();
  const byKey = <V>(map: Map<string, V>) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);
  return {
    manager: database.manager,
    packages: byKey(packages),
    files: byKey(files),
    complete: all.every((seen) => seen.complete),
  };
}
