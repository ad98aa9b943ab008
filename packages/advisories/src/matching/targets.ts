import { isFactoryError } from "@touchmark/core";
import { type PackageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type { Component, Distribution } from "@touchmark/formats/sbom";
import { distributionEcosystems } from "./distributions.ts";
import { ecosystemBase, lookupName } from "./names.ts";

/** One question to the database: is this version of this package affected? */
export interface Target {
  readonly ecosystem: string;
  /** In the spelling of `lookupName`. */
  readonly name: string;
  readonly version: string;
  /** What the name is: of the package that is installed, of the one that it was built from, or of both. */
  readonly names: "binary" | "source" | "both";
}

/** Why nothing is asked of a component. */
export type Untargeted = "project" | "no-ecosystem" | "no-distribution" | "no-version" | "ecosystem-without-data";

/** Ecosystems of the OSV schema by type of the package URL. */
const languageEcosystems: ReadonlyMap<string, string> = new Map([
  ["npm", "npm"],
  ["pypi", "PyPI"],
  ["golang", "Go"],
  ["cargo", "crates.io"],
  ["maven", "Maven"],
  ["gem", "RubyGems"],
  ["composer", "Packagist"],
  ["nuget", "NuGet"],
  ["hex", "Hex"],
  ["pub", "Pub"],
  ["hackage", "Hackage"],
  ["cran", "CRAN"],
  ["conan", "ConanCenter"],
  ["swift", "SwiftURL"],
  ["github", "GitHub Actions"],
  ["githubactions", "GitHub Actions"],
  ["bitnami", "Bitnami"],
  ["julia", "Julia"],
]);

/** Types of package URLs of distributions' packages. */
const systemTypes: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);

/** Distributions whose advisories name the packages that are installed, not those that they were built from. */
const namedByBinary: ReadonlySet<string> = new Set(["Red Hat", "AlmaLinux"]);

/** True for packages of distributions. */
export function isSystemPackage(component: Component): boolean {
  return systemTypes.has(component.type);
}

/**
 * What to ask of a component. The name is that of its package URL where it has one: what a lockfile calls an alias is
 * the package behind it.
 */
export function targetsOf(
  component: Component,
  distribution: Distribution | undefined,
  ecosystemsOf: (distribution: Distribution) => readonly string[],
  has: (ecosystem: string) => boolean,
): readonly Target[] | Untargeted {
  const url = component.purl === undefined ? undefined : readUrl(component.purl);
  const ecosystem = languageEcosystems.get(component.type);
  if (ecosystem !== undefined) {
    // A project under work is not the package that a registry has under the same name.
    const versions = versionsOf(component, url);
    if (isProject(component, url, versions)) return "project";
    if (versions.length === 0) return "no-version";
    if (!has(ecosystem)) return "ecosystem-without-data";
    const name = lookupName(ecosystem, url === undefined ? component.name : ecosystemName(ecosystem, url));
    return versions.map((version) => ({ ecosystem, name, version, names: "both" }));
  }
  if (!systemTypes.has(component.type)) return "no-ecosystem";
  const own = component.distribution ?? distributionOf(url) ?? distribution;
  if (own === undefined) return "no-distribution";
  if (component.version === "") return "no-version";
  const ecosystems = ecosystemsOf(own);
  if (ecosystems.length === 0) return "ecosystem-without-data";
  return ecosystems.flatMap((each) => systemTargets(component, url, each));
}

/** A program that was built or installed has a package URL; the module of a `go.mod` has one without version. */
function isProject(component: Component, url: PackageUrl | undefined, versions: readonly string[]): boolean {
  if (component.kind !== "application") return false;
  return url === undefined || (versions.length === 0 && component.occurrences.some(({ rule }) => rule === "go-mod"));
}

/** The version of a component, and that of its package URL where a document contradicts itself: both are judged. */
function versionsOf({ version }: Component, url: PackageUrl | undefined): readonly string[] {
  return [...new Set([version, url?.version ?? ""])].filter((each) => each !== "");
}

/** Ecosystems of the data by distribution, each looked for once. */
export function distributionIndex(available: ReadonlyMap<string, number>) {
  const known = new Map<string, readonly string[]>();
  return (distribution: Distribution): readonly string[] => {
    const key = `${distribution.id}\n${distribution.version}\n${distribution.codename ?? ""}`;
    let found = known.get(key);
    if (found === undefined) {
      found = distributionEcosystems(distribution, available.keys());
      known.set(key, found);
    }
    return found;
  };
}

function systemTargets(component: Component, url: PackageUrl | undefined, ecosystem: string): readonly Target[] {
  const version = withEpoch(component, url);
  const source = component.sourcePackage ?? upstreamOf(url, version);
  const binary = { ecosystem, name: lookupName(ecosystem, url?.name ?? component.name), version };
  if (source === undefined || source.name === binary.name) {
    const target: Target = { ...binary, names: "both" };
    return source === undefined || source.version === version
      ? [target]
      : [
          { ...binary, names: "binary" },
          { ...binary, version: source.version, names: "source" },
        ];
  }
  const names = namedByBinary.has(ecosystemBase(ecosystem)) ? "both" : "binary";
  const built: Target = { ecosystem, name: source.name, version: source.version, names: "source" };
  return [{ ...binary, names }, built];
}

/** Packages that advisories name by an epoch have it in their version; some documents keep it in the package URL. */
function withEpoch(component: Component, url: PackageUrl | undefined): string {
  const epoch = url?.qualifiers?.["epoch"];
  if (epoch === undefined || !/^\d{1,10}$/.test(epoch) || component.version.includes(":")) return component.version;
  return `${epoch}:${component.version}`;
}

/** `upstream=NAME` or `NAME@VERSION` of the package URLs of other tools. */
function upstreamOf(url: PackageUrl | undefined, version: string) {
  const upstream = url?.qualifiers?.["upstream"];
  if (upstream === undefined || upstream.endsWith(".src.rpm")) return undefined;
  const at = upstream.lastIndexOf("@");
  if (at <= 0) return { name: upstream, version };
  return { name: upstream.slice(0, at), version: upstream.slice(at + 1) };
}

/** `distro=debian-12` of a package URL. */
function distributionOf(url: PackageUrl | undefined): Distribution | undefined {
  const distro = url?.qualifiers?.["distro"];
  if (distro === undefined) return undefined;
  const parts = /^(.+?)-(\d[^-]*)$/.exec(distro);
  if (parts !== null) return { id: parts[1] ?? "", version: parts[2] ?? "" };
  return { id: url?.namespace ?? "", version: "", codename: distro };
}

function ecosystemName(ecosystem: string, { namespace, name }: PackageUrl): string {
  if (namespace === undefined) return name;
  return ecosystem === "Maven" ? `${namespace}:${name}` : `${namespace}/${name}`;
}

function readUrl(purl: string): PackageUrl | undefined {
  try {
    return parsePackageUrl(purl);
  } catch (error) {
    // A document of others with a broken package URL still names its package.
    if (isFactoryError(error)) return undefined;
    throw error;
  }
}
