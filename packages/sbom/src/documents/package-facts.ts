import { isFactoryError } from "@touchmark/core";
import { type PackageUrl, packageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type { Component, Distribution, SourcePackage } from "@touchmark/formats/sbom";
import type { DocumentReport } from "./problems.ts";
import { optional } from "./record.ts";

/** What a package URL tells of its component beside its name. */
export interface PackageFacts {
  readonly purl: string;
  readonly parts: PackageUrl;
  readonly architecture?: string;
  readonly distribution?: Distribution;
  readonly sourcePackage?: SourcePackage;
}

/** Types whose names are never without the namespace. */
const namedByUrl: ReadonlySet<string> = new Set(["maven", "npm", "composer", "golang"]);
const systemTypes: ReadonlySet<string> = new Set(["deb", "rpm", "apk", "alpm"]);

/** True for packages that a distribution makes: they belong to one, and its name is their namespace. */
export function isSystemPackage(type: string): boolean {
  return systemTypes.has(type);
}

/** Reads a package URL of a document; one that cannot be read is named and answered as undefined. */
export function packageFacts(written: string, where: string, report: DocumentReport): PackageFacts | undefined {
  try {
    const parts = parsePackageUrl(written);
    const qualifiers = parts.qualifiers ?? {};
    const architecture = qualifiers["arch"];
    return {
      purl: packageUrl(parts),
      parts,
      ...(architecture === undefined ? {} : { architecture }),
      ...(isSystemPackage(parts.type) ? systemFacts(parts, qualifiers) : {}),
    };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    report.problem("SBOM_DOCUMENT_VALUE_INVALID", where, `package URL: ${error.message}`);
    return undefined;
  }
}

function systemFacts(
  { namespace, version }: PackageUrl,
  qualifiers: Readonly<Record<string, string>>,
): Pick<PackageFacts, "distribution" | "sourcePackage"> {
  const distro = qualifiers["distro"];
  const upstream = qualifiers["upstream"];
  return {
    ...(distro === undefined ? {} : { distribution: distributionOf(distro, namespace) }),
    ...(upstream === undefined ? {} : { sourcePackage: sourceOf(upstream, version) }),
  };
}

/** `debian-12`, `alpine-3.20.3`; a bare version belongs to the namespace. */
function distributionOf(distro: string, namespace: string | undefined): Distribution {
  const [, id, version] = /^([a-z][a-z0-9_.]*(?:-[a-z_.]+)*)-([0-9].*)$/.exec(distro) ?? [];
  if (id !== undefined && version !== undefined) return { id, version };
  return /^[0-9]/.test(distro) ? { id: namespace ?? "", version: distro } : { id: distro, version: "" };
}

/** `name@version`, or `name` alone, whose version is that of the package. An rpm names the file: `name-1.0-1.src.rpm`. */
function sourceOf(upstream: string, version: string | undefined): SourcePackage {
  const [, file, release] = /^(.+)-([^-]+-[^-]+)\.src\.rpm$/.exec(upstream) ?? [];
  if (file !== undefined && release !== undefined) return { name: file, version: release };
  const at = upstream.lastIndexOf("@");
  return at > 0
    ? { name: upstream.slice(0, at), version: upstream.slice(at + 1) }
    : { name: upstream, version: version ?? "" };
}

/** What a package URL tells of a component; the document knows more of its own distribution than a qualifier can say. */
export function derivedFacts(
  facts: PackageFacts | undefined,
  own: Distribution | undefined,
): Pick<Component, "sourcePackage" | "distribution" | "architecture"> {
  const told = facts?.distribution;
  const isSystem = facts !== undefined && isSystemPackage(facts.parts.type);
  const isOwn =
    own !== undefined && (told === undefined ? isSystem : told.id === own.id && own.version.startsWith(told.version));
  return {
    ...optional("sourcePackage", facts?.sourcePackage),
    ...optional("distribution", isOwn ? own : told),
    ...optional("architecture", facts?.architecture),
  };
}

/**
 * A name with its namespace, as its ecosystem spells it. Documents have the namespace in a member of its own, within the
 * name, or in the package URL alone; the namespace of a system package is its distribution, and no part of the name.
 */
export function ecosystemName(facts: PackageFacts | undefined, group: string | undefined, name: string): string {
  const type = facts?.parts.type ?? "generic";
  if (isSystemPackage(type)) return name;
  const mark = type === "maven" ? ":" : "/";
  if (group !== undefined && group !== "") return `${group}${mark}${name}`;
  const namespace = facts?.parts.namespace;
  const isBare = namespace !== undefined && namedByUrl.has(type) && name === facts?.parts.name;
  return isBare ? `${namespace}${mark}${name}` : name;
}

/** The two parts of such a name, for formats that keep them apart. */
export function splitName(type: string, name: string): { readonly group?: string; readonly name: string } {
  const mark = type === "maven" ? name.indexOf(":") : type === "npm" || type === "composer" ? name.indexOf("/") : -1;
  return mark > 0 && mark < name.length - 1 ? { group: name.slice(0, mark), name: name.slice(mark + 1) } : { name };
}
