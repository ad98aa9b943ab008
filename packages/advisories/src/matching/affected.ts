import { isFactoryError } from "@touchmark/core";
import type { AffectedPackage, AffectedRange, RangeEvent } from "../advisory.ts";
import type { VersionScheme } from "../versions/scheme.ts";
import { schemeOf } from "../versions/schemes.ts";
import { semver } from "../versions/semver.ts";

/** What the ranges and versions of an advisory say of one version. */
export type Affection =
  | {
      readonly outcome: "affected";
      /** The range or list that holds it, in words: `>= 1.0.0, < 1.2.3`. */
      readonly matched: string;
      readonly comparison: string;
      /** Versions above it that the same ranges call fixed, nearest first. */
      readonly fixed: readonly string[];
    }
  | { readonly outcome: "not-affected" }
  /** Some range could not be evaluated, and no other one holds the version. */
  | { readonly outcome: "unknown"; readonly why: "version-unreadable" | "range-unreadable" | "git-range" };

/** What of an affected package says which versions. */
export type AffectedVersions = Pick<AffectedPackage, "ecosystem" | "ranges" | "versions" | "state">;

/**
 * Judges one version by an affected package of an advisory (OSV schema 1.7, "Evaluation"): the list of versions and
 * every range, each with all its events. A statement that the package is not affected ends it.
 * @throws VERSION_ECOSYSTEM_UNKNOWN
 */
export function isAffected(affected: AffectedVersions, version: string): Affection {
  if (affected.state === "not-affected") return { outcome: "not-affected" };
  const own = schemeOf(affected.ecosystem);
  const installed = attempt(own, version);
  let why: "version-unreadable" | "range-unreadable" | "git-range" | undefined;
  let hit: { matched: string; comparison: string } | undefined;
  const fixed: { text: string; order: unknown; scheme: VersionScheme }[] = [];
  for (const range of affected.ranges) {
    if (range.type === "GIT") {
      why ??= "git-range";
      continue;
    }
    const scheme = range.type === "SEMVER" && !isSemantic(own) ? semver : own;
    const at = scheme === own ? installed : attempt(scheme, version);
    if (at === undefined) {
      why = "version-unreadable";
      continue;
    }
    const events = readEvents(scheme, range);
    if (events === undefined) {
      why ??= "range-unreadable";
      continue;
    }
    for (const { kind, text, order } of events) {
      if (kind === "fixed" && order !== undefined && scheme.compare(order, at) > 0) fixed.push({ text, order, scheme });
    }
    hit ??= inRange(scheme, events, at);
  }
  hit ??= inList(own, affected.versions, version, installed);
  if (hit !== undefined) {
    const [{ scheme } = { scheme: own }] = fixed;
    const sorted = fixed.filter((each) => each.scheme === scheme).sort((a, b) => scheme.compare(a.order, b.order));
    return { outcome: "affected", ...hit, fixed: [...new Set(sorted.map(({ text }) => text))] };
  }
  if (why === undefined && installed === undefined) why = "version-unreadable";
  // A list of versions stands for the ranges of commits beside it; only without one they leave the question open.
  if (why === undefined || (why === "git-range" && affected.versions.length > 0)) return { outcome: "not-affected" };
  return { outcome: "unknown", why };
}

interface ReadEvent {
  readonly kind: "introduced" | "fixed" | "last_affected" | "limit";
  readonly text: string;
  /** Undefined: before every version (`0`), or, of a limit, after every version (`*`). */
  readonly order: unknown;
}

/** In the order of versions; those of the same version stay as written. Undefined when one is no version. */
function readEvents(scheme: VersionScheme, range: AffectedRange): readonly ReadEvent[] | undefined {
  const events: ReadEvent[] = [];
  for (const event of range.events) {
    const [kind, text] = partsOf(event);
    const isBound = (kind === "introduced" && text === "0") || (kind === "limit" && text === "*");
    const order = isBound ? undefined : attempt(scheme, text);
    if (order === undefined && !isBound) return undefined;
    events.push({ kind, text, order });
  }
  return events.sort((a, b) => {
    if (a.order === undefined || b.order === undefined) return rank(a) - rank(b);
    return scheme.compare(a.order, b.order);
  });
}

function rank({ kind, order }: ReadEvent): number {
  if (order !== undefined) return 0;
  return kind === "limit" ? 1 : -1;
}

function partsOf(event: RangeEvent): readonly [ReadEvent["kind"], string] {
  if ("introduced" in event) return ["introduced", event.introduced];
  if ("fixed" in event) return ["fixed", event.fixed];
  if ("last_affected" in event) return ["last_affected", event.last_affected];
  return ["limit", event.limit];
}

function inRange(scheme: VersionScheme, events: readonly ReadEvent[], at: unknown) {
  const limits = events.filter(({ kind }) => kind === "limit");
  const isBelowLimit = limits.some(({ order }) => order === undefined || scheme.compare(at, order) < 0);
  if (limits.length > 0 && !isBelowLimit) return undefined;
  let since: ReadEvent | undefined;
  let until: ReadEvent | undefined;
  for (const event of events) {
    const { kind, order } = event;
    const distance = order === undefined ? 1 : scheme.compare(at, order);
    if (kind === "introduced" && distance >= 0) {
      since = event;
      until = undefined;
    } else if (kind === "fixed" || kind === "last_affected") {
      if (kind === "fixed" ? distance >= 0 : distance > 0) since = undefined;
      else until ??= event;
    }
  }
  if (since === undefined) return undefined;
  return { matched: inWords(since, until), comparison: scheme.name };
}

function inWords(since: ReadEvent, until: ReadEvent | undefined): string {
  const from = since.order === undefined ? "" : `>= ${since.text}`;
  const to = until === undefined ? "" : `${until.kind === "fixed" ? "<" : "<="} ${until.text}`;
  return [from, to].filter((part) => part !== "").join(", ") || "every version";
}

function inList(scheme: VersionScheme, versions: readonly string[], version: string, installed: unknown) {
  const comparison = scheme.name;
  if (versions.includes(version)) return { matched: `= ${version}`, comparison };
  if (installed === undefined) return undefined;
  for (const listed of versions) {
    const other = attempt(scheme, listed);
    if (other === undefined || scheme.compare(installed, other) !== 0) continue;
    // Build metadata orders nothing and still tells two releases apart.
    if (isSemantic(scheme) && buildOf(listed) !== buildOf(version)) continue;
    return { matched: `= ${listed}`, comparison };
  }
  return undefined;
}

function buildOf(version: string): string {
  const plus = version.indexOf("+");
  return plus < 0 ? "" : version.slice(plus);
}

function isSemantic(scheme: VersionScheme): boolean {
  return scheme.name === "semver" || scheme.name === "npm" || scheme.name === "go";
}

function attempt(scheme: VersionScheme, text: string): unknown {
  try {
    return scheme.read(text);
  } catch (error) {
    if (isFactoryError(error) && error.code === "VERSION_UNREADABLE") return undefined;
    throw error;
  }
}
