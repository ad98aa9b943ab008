import type { AnnouncedDigest, Ecosystem, LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import type { MaterialRecord } from "../material.ts";

/** One package, once: all that lockfiles, the fetch and later steps say of it. */
export interface PackageUnit {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string;
  /** What people and statements call it. */
  readonly label: string;
  readonly locked: LockedPackage[];
  readonly records: MaterialRecord[];
  usedFiles: number;
  readonly usedBy: Set<string>;
}

/** Packages by everything that they can be known by. */
export class PackageUnits {
  readonly all: PackageUnit[] = [];
  /** Ecosystems that a lockfile speaks for. */
  readonly ecosystems = new Set<Ecosystem>();
  readonly counts = { bundled: 0, local: 0, aliases: 0 };
  readonly #byKey = new Map<string, PackageUnit>();
  readonly #byName = new Map<string, PackageUnit[]>();
  readonly #byDigest = new Map<string, Set<PackageUnit>>();
  readonly #byAddress = new Map<string, Set<PackageUnit>>();
  readonly #byPlace = new Map<string, PackageUnit>();
  readonly #withCommit: PackageUnit[] = [];

  constructor(lockfiles: readonly Lockfile[]) {
    const local = new Set<string>();
    for (const lockfile of lockfiles) {
      this.ecosystems.add(lockfile.ecosystem);
      const directory = lockfile.path.slice(0, lockfile.path.lastIndexOf("/") + 1);
      const own = new Map<string, PackageUnit>();
      const inside: LockedPackage[] = [];
      for (const entry of lockfile.packages) {
        if (entry.alias !== undefined) this.counts.aliases += 1;
        if (entry.from.kind === "local") local.add(`${entry.ecosystem} ${directory}${entry.from.path}`);
        else if (entry.from.kind === "bundled") inside.push(entry);
        else own.set(entry.key, this.#lock(entry));
      }
      this.counts.bundled += inside.length;
      // A bundled package may stand before or after the one that it came in, and may hold another.
      const around = new Map(
        inside.map((entry) => [entry.key, entry.from.kind === "bundled" ? entry.from.within : ""]),
      );
      for (const entry of inside) {
        let outer = around.get(entry.key) ?? "";
        for (let depth = 0; around.has(outer) && depth < 64; depth += 1) outer = around.get(outer) ?? "";
        const unit = own.get(outer);
        if (unit !== undefined) own.set(entry.key, unit);
      }
      for (const [key, unit] of own) this.#byPlace.set(directory + key, unit);
    }
    this.counts.local = local.size;
  }

  #lock(entry: LockedPackage): PackageUnit {
    const unit = this.#unit(keyOf(entry), entry.ecosystem, entry.name, entry.version, entry.purl);
    unit.locked.push(entry);
    if (entry.alias !== undefined) this.#name(unit, entry.alias);
    for (const digest of lockedDigests(entry)) add(this.#byDigest, digestKey(digest), unit);
    if (entry.from.kind === "git") this.#withCommit.push(unit);
    else if ("url" in entry.from && entry.from.url !== undefined)
      add(this.#byAddress, normalAddress(entry.from.url), unit);
    for (const file of entry.files ?? [])
      if (file.url !== undefined) add(this.#byAddress, normalAddress(file.url), unit);
    return unit;
  }

  /** The package of a record that no lockfile names. */
  unlocked(record: MaterialRecord): PackageUnit {
    const { ecosystem, purl, fileName } = record.facts;
    const name = record.facts.name ?? purl ?? fileName ?? record.url;
    const version = record.facts.version ?? "";
    const key = record.facts.kind === "download" ? record.url : `${ecosystem} ${spelled(ecosystem, name)} ${version}`;
    return this.#unit(`unlocked ${key}`, ecosystem, name, version, purl ?? (version === "" ? record.url : undefined));
  }

  #unit(key: string, ecosystem: Ecosystem, name: string, version: string, label?: string): PackageUnit {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const called = label ?? `${ecosystem} ${name}${version === "" ? "" : `@${version}`}`;
    const unit = {
      ecosystem,
      name,
      version,
      label: called,
      locked: [],
      records: [],
      usedFiles: 0,
      usedBy: new Set<string>(),
    };
    this.all.push(unit);
    this.#byKey.set(key, unit);
    this.#name(unit, name);
    return unit;
  }

  #name(unit: PackageUnit, name: string): void {
    const key = `${unit.ecosystem} ${spelled(unit.ecosystem, name)}`;
    const list = this.#byName.get(key);
    if (list === undefined) this.#byName.set(key, [unit]);
    else if (!list.includes(unit)) list.push(unit);
  }

  /** Packages of a name, or of an alias; of one version where it is given. */
  named(ecosystem: Ecosystem, name: string, version?: string): readonly PackageUnit[] {
    const found = this.#byName.get(`${ecosystem} ${spelled(ecosystem, name)}`) ?? [];
    return version === undefined ? found : found.filter((unit) => sameVersion(unit.version, version));
  }

  /** Packages that a lockfile gives this digest. */
  withDigest(digest: AnnouncedDigest): ReadonlySet<PackageUnit> {
    return this.#byDigest.get(digestKey(digest)) ?? none;
  }

  at(url: string): ReadonlySet<PackageUnit> {
    return this.#byAddress.get(normalAddress(url)) ?? none;
  }

  /** Packages that a lockfile pins to a commit that begins so, or to any commit of a repository. */
  withCommit(commit: string | undefined, repository: string | undefined): readonly PackageUnit[] {
    const wanted = repository === undefined ? undefined : repositoryName(repository);
    return this.#withCommit.filter((unit) =>
      unit.locked.some(({ from }) =>
        from.kind !== "git"
          ? false
          : commit === undefined
            ? wanted !== undefined && repositoryName(from.url) === wanted
            : from.commit.startsWith(commit),
      ),
    );
  }

  /** The package of a lockfile's key below the lockfile's directory; npm's keys are places of its tree. */
  atPlace(place: string): PackageUnit | undefined {
    return this.#byPlace.get(place);
  }
}

const none: ReadonlySet<PackageUnit> = new Set();

/** One address of a package has one unit; a registry's package has one by name and version, whatever the address. */
function keyOf({ ecosystem, name, version, from }: LockedPackage): string {
  const own = `${ecosystem} ${spelled(ecosystem, name)}`;
  if (from.kind === "url") return `${own} ${normalAddress(from.url)}`;
  if (from.kind === "git") return `${own} ${from.commit}`;
  return `${own} ${version}`;
}

/** Every digest that an entry gives its archive or archives. */
export function lockedDigests(entry: LockedPackage): readonly AnnouncedDigest[] {
  const files = (entry.files ?? []).filter((file) => !isMetadata(entry.ecosystem, file.name));
  return files.length === 0 ? entry.digests : [...entry.digests, ...files.flatMap((file) => file.digests)];
}

/** A Go module of which only the go.mod is wanted: nothing of it is built. */
export function isMetadataOnly(entry: LockedPackage): boolean {
  const files = entry.files ?? [];
  return (
    entry.digests.length === 0 && files.length > 0 && files.every((file) => isMetadata(entry.ecosystem, file.name))
  );
}

function isMetadata(ecosystem: Ecosystem, fileName: string): boolean {
  return (ecosystem === "golang" && fileName.endsWith(".mod")) || (ecosystem === "maven" && fileName.endsWith(".pom"));
}

export function digestKey({ algorithm, value }: AnnouncedDigest): string {
  return `${algorithm}:${value}`;
}

/** Names of Python packages have many spellings of one name (PEP 503). */
function spelled(ecosystem: Ecosystem, name: string): string {
  return ecosystem === "pypi" ? name.toLowerCase().replace(/[-_.]+/g, "-") : name;
}

/** Go writes a leading `v`, others do not. */
function sameVersion(one: string, other: string): boolean {
  return one === other || `v${one}` === other || one === `v${other}`;
}

function repositoryName(url: string): string {
  return normalAddress(url.replace(/^git\+/, ""))
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")
    .replace(/^[a-z+]+:\/\//, "");
}

/** One spelling of an address, for look-up only. */
function normalAddress(url: string): string {
  const plain = url.replace(/#.*$/, "").replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
  return URL.canParse(plain) ? new URL(plain).href : plain;
}

function add(map: Map<string, Set<PackageUnit>>, key: string, unit: PackageUnit): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([unit]));
  else set.add(unit);
}
