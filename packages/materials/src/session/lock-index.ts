import type { AnnouncedDigest, Ecosystem, LockedFile, LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import { samePythonVersion } from "../ecosystems/pypi-names.ts";
import type { ExpectedDigest, RequestFacts } from "../material.ts";

/** A file that the pipeline names with its digest. */
export interface PinnedDownload {
  readonly url: string;
  readonly digests: readonly AnnouncedDigest[];
}

/** A commit that the pipeline names. */
export interface PinnedCommit {
  readonly url: string;
  readonly commit: string;
}

/** Digests of which a file must have one. */
export type DigestSet = readonly ExpectedDigest[];

/** What lockfiles and pipeline declare, by what requests look like. */
export class LockIndex {
  readonly lockfiles: readonly Lockfile[];
  /** Commits that may be fetched. */
  readonly commits: ReadonlySet<string>;
  readonly #downloads = new Map<string, LockedPackage>();
  readonly #pinned: readonly LockedPackage[];
  readonly #byName = new Map<string, LockedPackage[]>();
  readonly #byAddress = new Map<string, LockedPackage[]>();
  readonly #ecosystems = new Set<Ecosystem>();
  readonly #fileOf = new Map<LockedPackage, string>();

  constructor(
    lockfiles: readonly Lockfile[],
    downloads: readonly PinnedDownload[] = [],
    commits: readonly PinnedCommit[] = [],
  ) {
    this.lockfiles = lockfiles;
    for (const each of downloads) this.#downloads.set(normalAddress(each.url), lockedDownload(each));
    this.#pinned = commits.map(lockedCommit);
    const pinned = new Set(commits.map((each) => each.commit));
    for (const lockfile of lockfiles) {
      if (lockfile.packages.length === 0) this.#ecosystems.add(lockfile.ecosystem);
      for (const entry of lockfile.packages) {
        this.#fileOf.set(entry, lockfile.path);
        this.#ecosystems.add(entry.ecosystem);
        append(this.#byName, `${entry.ecosystem} ${entry.name}`, entry);
        if (entry.from.kind === "git") pinned.add(entry.from.commit);
        const addresses = [
          ...("url" in entry.from && entry.from.url !== undefined && entry.from.kind !== "git" ? [entry.from.url] : []),
          ...(entry.files ?? []).flatMap((file) => (file.url === undefined ? [] : [file.url])),
        ];
        for (const address of addresses) append(this.#byAddress, normalAddress(address), entry);
      }
    }
    this.commits = pinned;
  }

  /** True when a lockfile of the ecosystem speaks for it. */
  covers(ecosystem: Ecosystem): boolean {
    return this.#ecosystems.has(ecosystem);
  }

  named(ecosystem: Ecosystem, name: string): readonly LockedPackage[] {
    return this.#byName.get(`${ecosystem} ${name}`) ?? [];
  }

  /** Entries that a lockfile says to fetch from exactly this address. */
  at(url: string): readonly LockedPackage[] {
    return this.#byAddress.get(normalAddress(url)) ?? [];
  }

  /** What the pipeline says of an address, as a lock entry. */
  download(url: string): LockedPackage | undefined {
    return this.#downloads.get(normalAddress(url));
  }

  /** Entries that pin one of these commits. */
  pinning(commits: readonly string[]): readonly LockedPackage[] {
    const wanted = new Set(commits);
    const isWanted = (entry: LockedPackage): boolean => entry.from.kind === "git" && wanted.has(entry.from.commit);
    return [...this.#pinned, ...this.lockfiles.flatMap((lockfile) => lockfile.packages)].filter(isWanted);
  }

  /** Entries about a request: of its version where it has one, else of its name. */
  about(facts: RequestFacts): readonly LockedPackage[] {
    if (facts.name === undefined) return [];
    const named = this.named(facts.ecosystem, facts.name);
    return facts.version === undefined
      ? named
      : named.filter((entry) => sameVersion(facts.ecosystem, entry.version, facts.version));
  }

  /** Digests that the entries demand of the file behind a request: every one must hold. */
  expected(facts: RequestFacts, url: string, entries: readonly LockedPackage[]): readonly ExpectedDigest[] {
    const found: ExpectedDigest[] = [];
    for (const entry of entries) {
      for (const digest of digestsFor(entry, facts, url)) {
        if (!found.some((each) => each.algorithm === digest.algorithm && each.value === digest.value))
          found.push(this.#announcedBy(entry, digest));
      }
    }
    return found;
  }

  /** Sets of digests that the entries give without saying whose they are: of each set, one must hold. */
  alternatives(facts: RequestFacts, url: string, entries: readonly LockedPackage[]): readonly DigestSet[] {
    return entries.flatMap((entry) => {
      const set = alternativesFor(entry, facts, url).map((digest) => this.#announcedBy(entry, digest));
      return set.length === 0 ? [] : [set];
    });
  }

  #announcedBy(entry: LockedPackage, digest: AnnouncedDigest): ExpectedDigest {
    return { ...digest, source: "lockfile", from: this.#fileOf.get(entry) ?? "lockfile" };
  }
}

function lockedDownload({ url, digests }: PinnedDownload): LockedPackage {
  const name = new URL(url).pathname.split("/").at(-1) ?? "";
  return {
    ...{ key: url, ecosystem: "generic", name, version: "", from: { kind: "url", url }, digests },
    ...{ scope: "runtime", dependencies: [], direct: true },
  };
}

function lockedCommit({ url, commit }: PinnedCommit): LockedPackage {
  return {
    ...{ key: `${url}#${commit}`, ecosystem: "git", name: url, version: commit, from: { kind: "git", url, commit } },
    ...{ digests: [], scope: "runtime", dependencies: [], direct: true },
  };
}

/** One spelling of an address, for look-up only. */
export function normalAddress(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.hash = "";
    parsed.username = "";
    parsed.password = "";
    return parsed.href;
  } catch {
    return url;
  }
}

/** Go's `+incompatible` and build metadata are part of the version; a leading `v` is not everywhere. Python has many spellings. */
export function sameVersion(ecosystem: Ecosystem, one: string, other: string | undefined): boolean {
  if (ecosystem === "pypi" && other !== undefined) return samePythonVersion(one, other);
  return one === other || `v${one}` === other || one === `v${other}`;
}

function digestsFor(entry: LockedPackage, facts: RequestFacts, url: string): readonly AnnouncedDigest[] {
  if (entry.files === undefined) return facts.kind === "archive" || facts.kind === "download" ? entry.digests : [];
  const [file, ...others] = filesFor(entry.files, facts, url);
  if (file !== undefined && others.length === 0) return file.digests;
  return facts.kind === "archive" ? entry.digests : [];
}

/** Digests without a name (requirements.txt), where none has the file's own; or several for the one file. */
function alternativesFor(entry: LockedPackage, facts: RequestFacts, url: string): readonly AnnouncedDigest[] {
  if (entry.files === undefined || facts.kind !== "archive") return [];
  const own = filesFor(entry.files, facts, url);
  if (own.length === 1) return [];
  const files = own.length > 0 ? own : entry.files.filter((each) => each.name === "");
  return files.flatMap((each) => each.digests);
}

/** Files of an entry that a request is for: by their address, else by their name. */
function filesFor(files: readonly LockedFile[], facts: RequestFacts, url: string): readonly LockedFile[] {
  const address = normalAddress(url);
  const there = files.filter((each) => each.url !== undefined && normalAddress(each.url) === address);
  if (there.length > 0) return there;
  return files.filter(
    (each) =>
      (each.name !== "" && each.name === facts.fileName) ||
      (facts.ecosystem === "golang" && goFile(each.name) === goFile(facts.fileName ?? "")),
  );
}

const goFile = (name: string): string => (name.endsWith("mod") ? "mod" : name.endsWith("zip") ? "zip" : name);

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
