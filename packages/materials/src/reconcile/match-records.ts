import type { AnnouncedDigest, Ecosystem } from "@touchmark/formats/lockfiles";
import type { UnlockedMode } from "../gate/rules.ts";
import type { MaterialRecord } from "../material.ts";
import { digestKey, lockedDigests, type PackageUnit, type PackageUnits } from "./package-unit.ts";
import type { DifferenceName } from "./reconciliation.ts";

/** Called for each difference. */
export type Note = (name: DifferenceName, item: string) => void;

/** Records that are packages, by what they are of. */
const packageKinds: ReadonlySet<string> = new Set(["archive", "git", "download"]);

/** True for an answer that brought a package, or part of one, in. */
export function bringsPackage(record: MaterialRecord): boolean {
  return packageKinds.has(record.facts.kind) && record.method !== "HEAD" && record.status === 200;
}

/** What decides on packages that no lockfile names. */
export interface UnlockedRules {
  readonly unlocked: Readonly<Partial<Record<Ecosystem, UnlockedMode>>>;
  /** Commits that the pipeline names. */
  readonly commits: ReadonlySet<string>;
}

/**
 * Joins each record to the package that it is of, by digest, then by name and version, then by address, and notes where
 * a lockfile says otherwise (SPEC R2).
 */
export function matchRecords(
  units: PackageUnits,
  records: readonly MaterialRecord[],
  rules: UnlockedRules,
  note: Note,
): void {
  for (const record of records) {
    if (!bringsPackage(record)) continue;
    for (const unit of unitsOf(units, record, rules, note)) unit.records.push(record);
  }
}

function unitsOf(
  units: PackageUnits,
  record: MaterialRecord,
  rules: UnlockedRules,
  note: Note,
): readonly PackageUnit[] {
  const known = knownDigests(record);
  const byContent = new Set<PackageUnit>();
  for (const digest of known) for (const unit of units.withDigest(digest)) byContent.add(unit);
  if (byContent.size > 0) return [...byContent];
  const claimed = record.facts.kind === "git" ? gitUnits(units, record) : namedUnits(units, record);
  if (claimed.length > 0) {
    if (record.facts.kind !== "git") for (const unit of claimed) compare(unit, record, known, note);
    return claimed;
  }
  const unit = units.unlocked(record);
  const { ecosystem, version } = record.facts;
  const pinned = version !== undefined && rules.commits.has(version);
  if (pinned || record.expected.some((digest) => digest.source === "pipeline")) return [unit];
  note((rules.unlocked[ecosystem] ?? "refuse") === "refuse" ? "fetched-not-locked" : "fetched-unlocked", unit.label);
  return [unit];
}

/** Every digest that the body is known to have. */
function knownDigests(record: MaterialRecord): readonly AnnouncedDigest[] {
  return [{ algorithm: "sha256", value: record.digest.slice("sha256:".length) }, ...record.expected];
}

function gitUnits(units: PackageUnits, record: MaterialRecord): readonly PackageUnit[] {
  return units.withCommit(record.facts.version, record.facts.name ?? record.url);
}

function namedUnits(units: PackageUnits, { facts, url, redirects }: MaterialRecord): readonly PackageUnit[] {
  const found = new Set<PackageUnit>();
  if (facts.name !== undefined && facts.version !== undefined) {
    for (const unit of units.named(facts.ecosystem, facts.name, facts.version)) found.add(unit);
  }
  for (const address of [url, ...redirects]) for (const unit of units.at(address)) found.add(unit);
  return [...found].filter((unit) => unit.locked.length > 0);
}

/** A record of a locked package whose content no lockfile gave: other bytes, bytes that nobody compared, or no digest. */
function compare(unit: PackageUnit, record: MaterialRecord, known: readonly AnnouncedDigest[], note: Note): void {
  const locked = unit.locked.flatMap(lockedDigests);
  if (locked.length === 0) return note("locked-without-digest", unit.label);
  const algorithms = new Set(known.map((digest) => digest.algorithm));
  const comparable = locked.filter((digest) => algorithms.has(digest.algorithm));
  if (comparable.length === 0) return note("locked-digest-unchecked", unit.label);
  const wanted = [...new Set(comparable.map(digestKey))].slice(0, 3).join(" or ");
  note("locked-digest-differs", `${unit.label}: expected ${wanted}, found ${record.digest} from ${record.url}`);
}

/** One name, version and file name with two contents, among the records (SPEC R2). Git's answers differ by nature. */
export function noteOtherBytes(records: readonly MaterialRecord[], note: Note): void {
  const seen = new Map<string, MaterialRecord>();
  for (const record of records) {
    const { kind, purl, fileName, name, version } = record.facts;
    if (!bringsPackage(record) || kind === "git") continue;
    const what = purl ?? (name !== undefined && version !== undefined ? `${name}@${version}` : record.url);
    const key = `${record.facts.ecosystem} ${what} ${fileName ?? ""}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, record);
    else if (first.digest !== record.digest) {
      note("same-name-other-bytes", `${what}: ${first.digest} from ${first.url}, ${record.digest} from ${record.url}`);
    }
  }
}

/** Two lockfiles that give one file of one package two digests of one algorithm (SPEC R2). */
export function noteDisagreement(units: readonly PackageUnit[], note: Note): void {
  for (const unit of units) {
    if (unit.locked.length < 2) continue;
    const seen = new Map<string, string>();
    for (const entry of unit.locked) {
      const single = entry.files === undefined ? [{ name: "", digests: entry.digests }] : entry.files;
      for (const { name, digests } of single) {
        // Files without a name are alternatives: which one it is, its digest says.
        if (entry.files !== undefined && name === "") continue;
        for (const { algorithm, value } of digests) {
          const key = `${name} ${algorithm}`;
          const other = seen.get(key) ?? value;
          seen.set(key, other);
          if (other !== value) note("lockfiles-disagree", `${unit.label}: ${algorithm} ${other} and ${value}`);
        }
      }
    }
  }
}
