import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Ecosystem, Lockfile } from "@touchmark/formats/lockfiles";
import { packageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import { writeFileAtomically } from "@touchmark/store";
import type { AdmittedVersion, PackageHistory } from "../gate/history.ts";
import { sealJson, unsealJson } from "../mirror/sealed-json.ts";

/** Versions that are remembered of one package; the oldest go first. */
const MAX_VERSIONS = 200;
/** Names that are remembered of one ecosystem. */
const MAX_NAMES = 50_000;

/** A package URL without its version: what histories are about. @throws PACKAGE_URL_* */
export function packageOf(purl: string): string {
  const { version: _, qualifiers: __, subpath: ___, ...rest } = parsePackageUrl(purl);
  return packageUrl(rest);
}

/** Histories of the packages whose names begin with the same digits of a hash. */
type Page = Readonly<Record<string, readonly AdmittedVersion[]>>;

/** What earlier runs learned about packages: who published them, what vouched for them, and which names are known. */
export interface PackageMemory {
  /** History of a package, empty for one that is new here. @param packageUrl without version */
  historyOf(packageUrl: string): PackageHistory;
  /** Remembers an admitted version; the first word about a version stays. */
  remember(packageUrl: string, version: AdmittedVersion): void;
  /** Names from lockfiles of finished runs. */
  knownNames(ecosystem: Ecosystem): readonly string[];
  learn(lockfiles: readonly Lockfile[]): void;
  /** Writes down what was remembered; until then it is lost with the process. */
  save(): void;
}

/**
 * Opens the memory in a directory of the home. A file that is damaged counts as lost, and a lost history as a package
 * that is new: rules about new packages then apply again.
 */
export function openPackageMemory(directory: string): PackageMemory {
  const histories = new Map<string, PackageHistory>();
  const changed = new Set<string>();
  const names = new Map<Ecosystem, readonly string[]>();
  // A page holds many packages: one file for each would cost a first run more than all else that it remembers.
  const place = (packageUrl: string): string => {
    const hash = createHash("sha256").update(packageUrl).digest("hex");
    return join(directory, "history", `${hash.slice(0, 2)}.json`);
  };
  const pages = new Map<string, Page>();
  const page = (path: string): Page => {
    const known = pages.get(path) ?? ((readDocument(path)?.["packages"] ?? {}) as unknown as Page);
    pages.set(path, known);
    return known;
  };
  const historyOf = (packageUrl: string): PackageHistory => {
    const known = histories.get(packageUrl);
    if (known !== undefined) return known;
    const read = page(place(packageUrl));
    const versions = Object.hasOwn(read, packageUrl) ? (read[packageUrl] ?? []) : [];
    const history = { package: packageUrl, versions };
    histories.set(packageUrl, history);
    return history;
  };
  const save = (): void => {
    for (const path of new Set([...changed].map(place))) {
      // Another run may have written meanwhile: what it says of a version came first.
      const packages: Record<string, readonly AdmittedVersion[]> = {
        ...((readDocument(path)?.["packages"] ?? {}) as unknown as Page),
      };
      for (const packageUrl of [...changed].filter((each) => place(each) === path)) {
        const before = packages[packageUrl] ?? [];
        const known = new Set(before.map((each) => each.version));
        const own = historyOf(packageUrl).versions.filter((each) => !known.has(each.version));
        packages[packageUrl] = [...before, ...own].slice(-MAX_VERSIONS);
      }
      writeDocument(path, { packages });
    }
    changed.clear();
  };
  const namesPlace = (ecosystem: Ecosystem): string => join(directory, "names", `${ecosystem}.json`);
  const knownNames = (ecosystem: Ecosystem): readonly string[] => {
    const known = names.get(ecosystem) ?? ((readDocument(namesPlace(ecosystem))?.["names"] ?? []) as readonly string[]);
    names.set(ecosystem, known);
    return known;
  };
  return {
    historyOf,
    knownNames,
    save,
    remember: (packageUrl, version) => {
      const { versions } = historyOf(packageUrl);
      if (versions.some((each) => each.version === version.version)) return;
      const history = { package: packageUrl, versions: [...versions, version].slice(-MAX_VERSIONS) };
      histories.set(packageUrl, history);
      changed.add(packageUrl);
    },
    learn: (lockfiles) => {
      for (const ecosystem of new Set(lockfiles.map((lockfile) => lockfile.ecosystem))) {
        const locked = lockfiles.flatMap(({ packages }) => packages.filter((each) => each.ecosystem === ecosystem));
        const before = knownNames(ecosystem);
        const after = [...new Set([...before, ...locked.map((each) => each.name)])].sort().slice(0, MAX_NAMES);
        if (after.length === before.length) continue;
        names.set(ecosystem, after);
        writeDocument(namesPlace(ecosystem), { names: after });
      }
    },
  };
}

function readDocument(path: string): ReturnType<typeof unsealJson> | undefined {
  try {
    return unsealJson(readFileSync(path));
  } catch {
    return undefined;
  }
}

function writeDocument(path: string, document: object): void {
  mkdirSync(dirname(path), { recursive: true });
  // Losing it in a power cut makes packages new again, and no more.
  writeFileAtomically(path, sealJson(document), { durable: false });
}
