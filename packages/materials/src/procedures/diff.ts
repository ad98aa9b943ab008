import type { AnnouncedDigest, Ecosystem, LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import type { PackageHistory } from "../gate/history.ts";
import { procedureErrors } from "./procedure-errors.ts";

/** One package name that differs between two states of the lockfiles. */
export interface MaterialChange {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  /** Versions, sorted; empty where the name is not there. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What deserves a look. An alarm is never an ordinary update. */
export interface DiffFinding {
  readonly kind: /** The same name and version with another digest. */
    | "changed-digest"
    /** A file more of a version that was locked before. */
    | "new-file"
    | "new-install-scripts"
    /** A host that no locked package came from before. */
    | "new-host"
    /** From a registry before, from an address or repository of its own now, or the other way about. */
    | "new-source"
    /** Published by somebody who published none of the versions that were seen. */
    | "new-publisher";
  readonly alarm: boolean;
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string;
  readonly message: string;
}

/** What two states of the lockfiles differ in. */
export interface MaterialsDiff {
  readonly added: readonly MaterialChange[];
  readonly removed: readonly MaterialChange[];
  readonly changed: readonly MaterialChange[];
  /** Alarms first. */
  readonly findings: readonly DiffFinding[];
  /** What could not be told, in words. */
  readonly limits: readonly string[];
}

/** What earlier runs learned of a package; undefined or empty when nothing. */
export type HistoryOf = (item: LockedPackage) => PackageHistory | undefined;

/**
 * Compares the lockfiles of two revisions. SPEC D1.
 * @throws PROCEDURE_NO_LOCKFILE when there is none on either side
 */
export function diffMaterials(
  before: readonly Lockfile[],
  after: readonly Lockfile[],
  history: HistoryOf = () => undefined,
): MaterialsDiff {
  if (before.length + after.length === 0) {
    throw procedureErrors.make("PROCEDURE_NO_LOCKFILE", "expected a lockfile in one of the two revisions, found none");
  }
  const [old, now] = [byName(before), byName(after)];
  const rows = [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((key) => {
    const [was = [], is = []] = [old.get(key), now.get(key)];
    const [some] = [...was, ...is];
    return some === undefined
      ? []
      : [{ ecosystem: some.ecosystem, name: some.name, before: versionsOf(was), after: versionsOf(is) }];
  });
  const isChanged = (row: MaterialChange): boolean => row.before.join("\n") !== row.after.join("\n");
  const knownHosts = new Set(packagesOf(before).flatMap(hostsOf));
  const unknown = new Set<string>();
  const findings = packagesOf(after).flatMap((item) => {
    const was = old.get(keyOf(item)) ?? [];
    return [
      ...digestFindings(was, item),
      ...scriptFindings(was, item),
      ...sourceFindings(was, item),
      ...hostFindings(knownHosts, item),
      ...publisherFindings(was, item, history, unknown),
    ];
  });
  const limits = new Set([...before, ...after].flatMap((lockfile) => lockfile.limits));
  if (unknown.size > 0)
    limits.add(`who published ${unknown.size} new or changed versions is not known from earlier runs`);
  return {
    added: rows.filter((row) => row.before.length === 0),
    removed: rows.filter((row) => row.after.length === 0),
    changed: rows.filter((row) => row.before.length > 0 && row.after.length > 0 && isChanged(row)),
    findings: unique(findings).sort((a, b) => Number(b.alarm) - Number(a.alarm)),
    limits: [...limits],
  };
}

/** The project's own directories are no materials. */
function packagesOf(lockfiles: readonly Lockfile[]): LockedPackage[] {
  return lockfiles.flatMap(({ packages }) => packages.filter((item) => item.from.kind !== "local"));
}

const keyOf = (item: LockedPackage): string => `${item.ecosystem} ${item.name}`;

function byName(lockfiles: readonly Lockfile[]): Map<string, LockedPackage[]> {
  const found = new Map<string, LockedPackage[]>();
  for (const item of packagesOf(lockfiles)) {
    const list = found.get(keyOf(item));
    if (list === undefined) found.set(keyOf(item), [item]);
    else list.push(item);
  }
  return found;
}

function versionsOf(items: readonly LockedPackage[]): string[] {
  return [...new Set(items.map((item) => item.version))].sort();
}

function finding(kind: DiffFinding["kind"], item: LockedPackage, message: string, alarm = false): DiffFinding {
  return { kind, alarm, ecosystem: item.ecosystem, name: item.name, version: item.version, message };
}

function digestFindings(was: readonly LockedPackage[], item: LockedPackage): DiffFinding[] {
  const same = was.filter((each) => each.version === item.version);
  const found: DiffFinding[] = [];
  for (const each of same) {
    const clash = clashOf(each.digests, item.digests);
    if (clash !== undefined) found.push(finding("changed-digest", item, clash, true));
    const files = new Map((each.files ?? []).map((file) => [file.name, file]));
    for (const file of item.files ?? []) {
      const known = files.get(file.name);
      const other = known === undefined ? undefined : clashOf(known.digests, file.digests);
      if (other !== undefined) found.push(finding("changed-digest", item, `${file.name}: ${other}`, true));
      else if (known === undefined && files.size > 0) found.push(finding("new-file", item, file.name));
    }
  }
  return found;
}

/** Two lists of digests of one thing: an algorithm that both have must have a value in common. */
function clashOf(was: readonly AnnouncedDigest[], is: readonly AnnouncedDigest[]): string | undefined {
  for (const algorithm of new Set(was.map((each) => each.algorithm))) {
    const [old, now] = [was, is].map((list) =>
      list.filter((each) => each.algorithm === algorithm).map(({ value }) => value),
    );
    if (old === undefined || now === undefined || now.length === 0 || now.some((value) => old.includes(value)))
      continue;
    return `${algorithm} was ${old[0]}, and is ${now[0]} under the same version`;
  }
  return undefined;
}

function scriptFindings(was: readonly LockedPackage[], item: LockedPackage): DiffFinding[] {
  if (item.installScripts !== true || was.some((each) => each.installScripts === true)) return [];
  return [
    finding("new-install-scripts", item, was.length === 0 ? "a new package with install scripts" : "had none before"),
  ];
}

function sourceFindings(was: readonly LockedPackage[], item: LockedPackage): DiffFinding[] {
  if (was.length === 0 || was.some((each) => each.from.kind === item.from.kind)) return [];
  return [finding("new-source", item, `was from ${was[0]?.from.kind}, and is from ${item.from.kind}`)];
}

function hostsOf(item: LockedPackage): string[] {
  const addresses = [
    "url" in item.from ? item.from.url : undefined,
    ...(item.files ?? []).map((file) => file.url),
  ].filter((each) => each !== undefined);
  return addresses.flatMap((address) => {
    const plain = address.replace(/^git\+/, "");
    return URL.canParse(plain) ? [new URL(plain).host] : [];
  });
}

function hostFindings(known: ReadonlySet<string>, item: LockedPackage): DiffFinding[] {
  const fresh = [...new Set(hostsOf(item))].filter((host) => host !== "" && !known.has(host));
  return fresh.map((host) => finding("new-host", item, host));
}

function publisherFindings(
  was: readonly LockedPackage[],
  item: LockedPackage,
  history: HistoryOf,
  unknown: Set<string>,
): DiffFinding[] {
  if (was.some((each) => each.version === item.version)) return [];
  const versions = history(item)?.versions ?? [];
  const publisher = versions.find((each) => each.version === item.version)?.publisher;
  const others = versions.filter((each) => each.version !== item.version).flatMap((each) => each.publisher ?? []);
  if (publisher === undefined) unknown.add(`${keyOf(item)}@${item.version}`);
  if (publisher === undefined || others.length === 0 || others.includes(publisher)) return [];
  return [finding("new-publisher", item, `${publisher}, before ${[...new Set(others)].join(", ")}`)];
}

/** A package may stand in several lockfiles, or at several places of one. */
function unique(findings: readonly DiffFinding[]): DiffFinding[] {
  return [...new Map(findings.map((each) => [JSON.stringify(each), each])).values()];
}
