import type { Finding, ScanResult } from "@touchmark/formats/findings";
import type { Component } from "@touchmark/formats/sbom";
import type { AdvisoryDatabase } from "../advisory.ts";
import { isAffected } from "../matching/affected.ts";
import type { ForeignPackage, ForeignScan } from "./foreign-scan.ts";

/** One vulnerability of one package, and who found it. */
export interface ComparedFinding {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly package: string;
  readonly version: string;
  /** `touchmark`, and the names of the other scanners. */
  readonly foundBy: readonly string[];
  /** Why those who did not find it may not have; empty when all did. */
  readonly why: string;
}

/** What several scanners say of one subject. */
export interface ScanComparison {
  readonly scanners: readonly {
    readonly name: string;
    readonly version?: string;
    readonly packages: number;
    readonly findings?: number;
  }[];
  readonly findings: readonly ComparedFinding[];
  /** Packages that not all list that list packages at all. */
  readonly packages: readonly {
    readonly package: string;
    readonly version: string;
    readonly listedBy: readonly string[];
  }[];
}

const ours = "touchmark";

/** Compares our scan with those of others: by shared ids, and by name and version of packages. SPEC K5-K7. */
export function compareScans(
  own: ScanResult,
  others: readonly ForeignScan[],
  database?: AdvisoryDatabase,
): ScanComparison {
  const foreign = distinctlyNamed(others);
  const components = new Map(own.sbom.components.map((component) => [component.ref, component]));
  const named = new Map<string, Component[]>();
  for (const component of own.sbom.components) {
    for (const name of namesOf(component)) listUnder(named, name, component);
  }
  const rows = new Set<Row>();
  const byKey = new Map<string, Row>();
  const add = (ids: readonly string[], name: string, version: string, scanner: string): void => {
    const known = new Set(ids.flatMap((id) => byKey.get(keyOf(id, name, version)) ?? []));
    const [row = { ids: new Set<string>(), name, version, foundBy: new Set<string>() }, ...same] = known;
    rows.add(row);
    row.foundBy.add(scanner);
    // Ids that only now turn out to be of one vulnerability.
    for (const each of same) {
      for (const found of each.foundBy) row.foundBy.add(found);
      rows.delete(each);
    }
    for (const id of [...ids, ...same.flatMap((each) => [...each.ids])]) {
      row.ids.add(id);
      byKey.set(keyOf(id, name, version), row);
    }
  };
  for (const finding of own.findings) {
    const component = components.get(finding.component);
    if (component === undefined) continue;
    for (const name of namesOf(component).slice(0, 1))
      add([finding.id, ...finding.aliases, ...idsOf(finding)], name, plainVersion(component.version), ours);
  }
  for (const scan of foreign) {
    for (const finding of scan.findings ?? []) {
      add(finding.ids, ownName(finding.package, named), plainVersion(finding.package.version), scan.tool);
    }
  }
  const judging = foreign.filter(({ findings }) => findings !== undefined);
  const known: Known = {
    named,
    database,
    notEvaluated: new Map(own.notEvaluated.map(({ component, message }) => [component, message])),
    listed: new Map(judging.map(({ tool, packages }) => [tool, versionsOf(packages)])),
  };
  const scanners = [ours, ...judging.map(({ tool }) => tool)];
  return {
    scanners: [
      { name: ours, packages: own.sbom.components.length - 1, findings: own.findings.length },
      ...foreign.map(({ tool, version, packages, findings }) => ({
        name: tool,
        ...(version === undefined ? {} : { version }),
        packages: packages.length,
        ...(findings === undefined ? {} : { findings: findings.length }),
      })),
    ],
    findings: [...rows].map((row) => explain(row, scanners, known)).sort(compareRows),
    packages: comparePackages(own, foreign, named),
  };
}

interface Row {
  readonly ids: Set<string>;
  readonly name: string;
  readonly version: string;
  readonly foundBy: Set<string>;
}

/** What reasons are taken from. */
interface Known {
  readonly named: ReadonlyMap<string, readonly Component[]>;
  readonly database: AdvisoryDatabase | undefined;
  /** Messages by component. */
  readonly notEvaluated: ReadonlyMap<string, string>;
  /** Versions by package by scanner. */
  readonly listed: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

function explain({ ids, name, version, foundBy }: Row, scanners: readonly string[], known: Known): ComparedFinding {
  const [id = "", ...aliases] = [...ids].sort(
    (a, b) => Number(b.startsWith("CVE-")) - Number(a.startsWith("CVE-")) || (a < b ? -1 : 1),
  );
  const reasons = scanners
    .filter((scanner) => !foundBy.has(scanner))
    .map((scanner) => {
      const reason =
        scanner === ours
          ? ourReason([...ids], name, version, known)
          : theirReason(name, version, known.listed.get(scanner) ?? new Map());
      return `${scanner}: ${reason}`;
    });
  return {
    id,
    aliases,
    package: name,
    version,
    foundBy: scanners.filter((scanner) => foundBy.has(scanner)),
    why: reasons.join("; "),
  };
}

function ourReason(
  ids: readonly string[],
  name: string,
  version: string,
  { named, database, notEvaluated }: Known,
): string {
  const component = named.get(name)?.find((each) => plainVersion(each.version) === version);
  if (component === undefined) {
    const other = named.get(name)?.[0];
    return other === undefined
      ? "no such package was catalogued"
      : `catalogued as version ${other.version || "unknown"}`;
  }
  if (database === undefined) return "no advisory data was there";
  const open = notEvaluated.get(component.ref);
  if (open !== undefined) return `not evaluated: ${open}`;
  const advisories = ids.flatMap((id) => database.find(id));
  if (advisories.length === 0) return "no advisory of that id in our data";
  if (advisories.every(({ withdrawn }) => withdrawn !== undefined)) return "the advisory was withdrawn";
  const about = advisories
    .flatMap(({ affected }) => affected)
    .filter((each) => each.name === component.name || each.name === component.sourcePackage?.name);
  if (about.length === 0) return "the advisory is about other packages";
  if (about.some((each) => mayAffect(each, component))) return "the advisory is about another release or architecture";
  return `version ${component.version} is in none of its ranges`;
}

function mayAffect(affected: Parameters<typeof isAffected>[0], component: Component): boolean {
  try {
    return isAffected(affected, component.sourcePackage?.version ?? component.version).outcome === "affected";
  } catch {
    return false;
  }
}

function theirReason(name: string, version: string, listed: ReadonlyMap<string, readonly string[]>): string {
  const versions = listed.get(name) ?? listed.get(name.split("/").at(-1) ?? name) ?? [];
  if (versions.length === 0) return "does not list the package";
  if (!versions.includes(version)) return `lists it as version ${versions[0] || "unknown"}`;
  return "lists the package, and knows no such advisory for it or judges the version otherwise";
}

function versionsOf(packages: readonly ForeignPackage[]): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>();
  for (const { name, version } of packages) listUnder(versions, name, plainVersion(version));
  return versions;
}

function listUnder<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

/** Two results of one tool, and one that calls itself as we do, keep apart: what one found the other did not find. */
function distinctlyNamed(scans: readonly ForeignScan[]): readonly ForeignScan[] {
  const taken = new Set([ours]);
  return scans.map((scan) => {
    let tool = scan.tool;
    for (let n = 2; taken.has(tool); n++) tool = `${scan.tool} (${n})`;
    taken.add(tool);
    return { ...scan, tool };
  });
}

function comparePackages(
  own: ScanResult,
  foreign: readonly ForeignScan[],
  named: ReadonlyMap<string, readonly Component[]>,
) {
  const listed = new Map<string, { readonly package: string; readonly version: string; readonly by: Set<string> }>();
  const note = (name: string, version: string, scanner: string): void => {
    const key = `${name}\u0000${version}`;
    const row = listed.get(key) ?? { package: name, version, by: new Set<string>() };
    row.by.add(scanner);
    listed.set(key, row);
  };
  const listing = foreign.filter(({ packages }) => packages.length > 0);
  for (const component of own.sbom.components) {
    if (component.ref === own.sbom.root || component.kind === "operating-system") continue;
    note(namesOf(component)[0] ?? component.name, plainVersion(component.version), ours);
  }
  for (const scan of listing)
    for (const each of scan.packages) note(ownName(each, named), plainVersion(each.version), scan.tool);
  return [...listed.values()]
    .filter(({ by }) => by.size <= listing.length)
    .map(({ package: name, version, by }) => ({ package: name, version, listedBy: [...by] }))
    .sort((a, b) => (a.package < b.package ? -1 : a.package > b.package ? 1 : a.version < b.version ? -1 : 1));
}

/** Names under which a component may be known: its own, that of its source package, Maven's with a slash. */
function namesOf({ name, sourcePackage }: Component): readonly string[] {
  return [name, ...(sourcePackage === undefined ? [] : [sourcePackage.name])];
}

/** The name that we have for a package of another: Maven's with a colon, Python's in its normal form. */
function ownName({ name, purl }: ForeignPackage, named: ReadonlyMap<string, unknown>): string {
  if (named.has(name)) return name;
  const maven = /^pkg:maven\/([^/]+)\/([^@?]+)/.exec(purl ?? "");
  const candidates = [
    ...(maven === null ? [] : [`${maven[1]}:${maven[2]}`]),
    name.replace("/", ":"),
    name.toLowerCase(),
    name.toLowerCase().replace(/[-_.]+/g, "-"),
  ];
  return candidates.find((each) => named.has(each)) ?? name;
}

/** Go's versions with and without `v`. */
const plainVersion = (version: string): string => version.replace(/^v(?=\d)/, "");
const keyOf = (id: string, name: string, version: string): string => `${id.toUpperCase()}\u0000${name}\u0000${version}`;
const idsOf = ({ evidence }: Finding): readonly string[] => evidence.map(({ advisory }) => advisory);
const compareRows = (a: ComparedFinding, b: ComparedFinding): number =>
  a.package < b.package ? -1 : a.package > b.package ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
