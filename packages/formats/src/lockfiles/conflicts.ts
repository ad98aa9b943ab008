import { disagree } from "./assemble.ts";
import type { AnnouncedDigest, Ecosystem, LockedPackage, Lockfile } from "./locked.ts";

/** Two lockfiles of one project that cannot both be true. */
export interface LockfileConflict {
  readonly kind: /** One package has different digests: one of the two was tampered with, or a registry served both. */
    | "digest"
    /** What the project itself asks for is locked at different versions: which one a build gets depends on the client. */
    | "version"
    /** What the project itself asks for is locked in one of two that both know what the project asks for. */
    | "missing";
  readonly ecosystem: Ecosystem;
  readonly name: string;
  /** Paths of the two lockfiles, in the order given. */
  readonly lockfiles: readonly [string, string];
  /** What each says: versions, or digests. */
  readonly found: readonly [string, string];
}

/**
 * Compares every two lockfiles of one ecosystem and one directory. Digests are compared for all packages; versions
 * only for what is direct, since clients may choose differently below that.
 */
export function conflictsBetween(lockfiles: readonly Lockfile[]): readonly LockfileConflict[] {
  return lockfiles.flatMap((one, index) =>
    lockfiles
      .slice(index + 1)
      .filter((other) => one.ecosystem === other.ecosystem && directoryOf(one.path) === directoryOf(other.path))
      .flatMap((other) => [...digestConflicts(one, other), ...versionConflicts(one, other)]),
  );
}

function directoryOf(path: string): string {
  return path.replace(/[^/]*$/, "");
}

function* digestConflicts(one: Lockfile, other: Lockfile): Generator<LockfileConflict> {
  const known = new Map<string, LockedPackage>();
  for (const locked of one.packages) if (locked.purl !== undefined) known.set(locked.purl, locked);
  const told = new Set<string>();
  for (const locked of other.packages) {
    const same = known.get(locked.purl ?? "");
    if (same === undefined || told.has(same.key)) continue;
    const pair = disagreement(same, locked);
    if (pair === undefined) continue;
    told.add(same.key);
    yield { kind: "digest", ...common(one, other, locked.name), found: pair };
  }
}

/** Digests of the one archive, or of files of one name. Sets without names disagree when they share nothing. */
function disagreement(one: LockedPackage, other: LockedPackage): readonly [string, string] | undefined {
  if (disagree(one.digests, other.digests)) return [spell(one.digests), spell(other.digests)];
  const named = new Map((one.files ?? []).map((file) => [file.name, file.digests]));
  for (const { name, digests } of other.files ?? []) {
    const same = name === "" ? undefined : named.get(name);
    if (same !== undefined && disagree(same, digests)) return [`${name} ${spell(same)}`, `${name} ${spell(digests)}`];
  }
  const isUnnamed = [one, other].some(({ files }) => files?.some(({ name }) => name === ""));
  if (!isUnnamed) return undefined;
  const [a, b] = [one, other].map(
    ({ files }) => new Set((files ?? []).flatMap(({ digests }) => digests.map(({ value }) => value))),
  );
  if (a === undefined || b === undefined || a.size === 0 || b.size === 0) return undefined;
  return [...a].some((value) => b.has(value)) ? undefined : [[...a].join(" "), [...b].join(" ")];
}

function* versionConflicts(one: Lockfile, other: Lockfile): Generator<LockfileConflict> {
  const [first, second] = [directVersions(one), directVersions(other)];
  const both = saysDirect(one) && saysDirect(other);
  for (const [name, versions] of first) {
    const others = second.get(name) ?? allVersions(other, name);
    if (others.size === 0) {
      if (both) yield { kind: "missing", ...common(one, other, name), found: [words(versions), ""] };
    } else if (![...versions].some((version) => others.has(version))) {
      yield { kind: "version", ...common(one, other, name), found: [words(versions), words(others)] };
    }
  }
  for (const [name, versions] of second) {
    if (first.has(name)) continue;
    const others = allVersions(one, name);
    if (others.size === 0) {
      if (both) yield { kind: "missing", ...common(one, other, name), found: ["", words(versions)] };
    } else if (![...versions].some((version) => others.has(version))) {
      yield { kind: "version", ...common(one, other, name), found: [words(others), words(versions)] };
    }
  }
}

/** False for formats that list files of one group, or that do not tell what the project asks for. */
function saysDirect({ format }: Lockfile): boolean {
  return !/^(?:requirements|pylock|gradle|touchmark|go)-/.test(format);
}

function directVersions({ packages }: Lockfile): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { name, version, direct, from } of packages) {
    if (!direct || from.kind === "local") continue;
    found.set(name, (found.get(name) ?? new Set()).add(version));
  }
  return found;
}

function allVersions({ packages }: Lockfile, name: string): Set<string> {
  return new Set(packages.filter((one) => one.name === name).map(({ version }) => version));
}

function common(
  one: Lockfile,
  other: Lockfile,
  name: string,
): Pick<LockfileConflict, "ecosystem" | "name" | "lockfiles"> {
  return { ecosystem: one.ecosystem, name, lockfiles: [one.path, other.path] };
}

function words(versions: ReadonlySet<string>): string {
  return [...versions].sort().join(" ");
}

function spell(digests: readonly AnnouncedDigest[]): string {
  return digests.map(({ algorithm, value }) => `${algorithm}:${value}`).join(" ");
}
