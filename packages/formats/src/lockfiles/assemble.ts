import { hasStrong } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, LockedFile, LockedPackage, LockedRoot, Lockfile } from "./locked.ts";
import { type LockfileOptions, lockfileLimits } from "./options.ts";
import { refuse } from "./tolerance.ts";

/** A package while its lockfile is read. */
export type Draft = { -readonly [K in keyof LockedPackage]: LockedPackage[K] } & { dependencies: string[] };

/** What a reader hands over. */
export interface Reading {
  readonly format: string;
  readonly ecosystem: Lockfile["ecosystem"];
  readonly path: string;
  readonly root?: { readonly [K in keyof LockedRoot]: LockedRoot[K] | undefined };
  readonly packages: readonly Draft[];
  readonly limits: readonly string[];
}

/** Stops a reader before it holds too much. @throws LOCKFILE_TOO_LARGE */
export function checkCount(count: number): void {
  if (count > lockfileLimits.packages) {
    throw lockfileErrors.make(
      "LOCKFILE_TOO_LARGE",
      `expected at most ${lockfileLimits.packages} packages, found ${count} or more`,
    );
  }
}

/**
 * Holds what is true of every lockfile: unique keys, edges that lead to a package, one digest for one file.
 * @throws LOCKFILE_TOO_LARGE | LOCKFILE_DUPLICATE | LOCKFILE_EDGE
 */
export function assemble(reading: Reading, options: LockfileOptions = {}): Lockfile {
  const packages: Draft[] = [];
  checkCount(reading.packages.length);
  const keys = new Set<string>();
  const seen = new Map<string, LockedPackage>();
  let edges = 0;
  let weak = 0;
  for (const found of reading.packages) {
    if (keys.has(found.key)) {
      refuse(options, duplicate(`the package ${quote(found.key)} stands twice`));
      continue;
    }
    keys.add(found.key);
    packages.push(found);
    found.dependencies = [...new Set(found.dependencies)];
    edges += found.dependencies.length + (found.files?.length ?? 0);
    if (edges > lockfileLimits.edges) {
      throw lockfileErrors.make("LOCKFILE_TOO_LARGE", `expected at most ${lockfileLimits.edges} edges and files`);
    }
    if (isFetched(found) && isWeak(found)) weak++;
    if (found.from.kind === "registry") {
      const other = seen.get(`${found.name}@${found.version}`);
      if (other !== undefined) checkAgrees(other, found, options);
      else seen.set(`${found.name}@${found.version}`, found);
    }
  }
  for (const draft of packages) {
    const missing = draft.dependencies.find((dependency) => !keys.has(dependency));
    if (missing === undefined) continue;
    const message = `${quote(draft.key)} depends on ${quote(missing)}, which is not locked`;
    refuse(options, lockfileErrors.make("LOCKFILE_EDGE", message));
    draft.dependencies = draft.dependencies.filter((dependency) => keys.has(dependency));
  }
  return {
    format: reading.format,
    ecosystem: reading.ecosystem,
    path: reading.path,
    ...(reading.root !== undefined && { root: rootOf(reading.root, keys) }),
    packages,
    limits:
      weak === 0 ? reading.limits : [...reading.limits, `${weak} packages have no digest stronger than SHA-1 or MD5`],
  };
}

function rootOf(
  { name, version, licence, dependencies }: NonNullable<Reading["root"]>,
  keys: ReadonlySet<string>,
): LockedRoot {
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(licence !== undefined && { licence }),
    ...(dependencies !== undefined && {
      dependencies: [...new Set(dependencies)].filter((key) => keys.has(key)),
    }),
  };
}

function isFetched({ from }: LockedPackage): boolean {
  return from.kind === "registry" || from.kind === "url";
}

function isWeak({ digests, files }: LockedPackage): boolean {
  const sets = [digests, ...(files ?? []).map((file) => file.digests)].filter((set) => set.length > 0);
  return sets.some((set) => !hasStrong(set));
}

/** One package of a registry may be locked in several places, but is one set of bytes. */
function checkAgrees(one: LockedPackage, other: LockedPackage, options: LockfileOptions): void {
  if (disagree(one.digests, other.digests)) refuse(options, conflicting(one, other));
  const files = new Map((one.files ?? []).filter(({ name }) => name !== "").map((file) => [file.name, file]));
  for (const file of other.files ?? []) {
    const same: LockedFile | undefined = files.get(file.name);
    if (same !== undefined && disagree(same.digests, file.digests)) refuse(options, conflicting(one, other));
  }
}

function conflicting(one: LockedPackage, other: LockedPackage) {
  return duplicate(`${quote(one.key)} and ${quote(other.key)} are one package with different digests`);
}

/** True when an algorithm of both has different values. */
export function disagree(one: readonly AnnouncedDigest[], other: readonly AnnouncedDigest[]): boolean {
  return one.some((a) => other.some((b) => a.algorithm === b.algorithm && a.value !== b.value));
}

function duplicate(message: string) {
  return lockfileErrors.make("LOCKFILE_DUPLICATE", message);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 160));
}
