import { isFactoryError } from "@touchmark/core";
import { type PackageUrl, packageUrl, parsePackageUrl } from "@touchmark/formats/package-url";
import type { Distribution, SourcePackage } from "@touchmark/formats/sbom";
import type { DocumentReport } from "./problems.ts";

/** What a package URL tells of its component beside its name. */
export interface PackageFacts {
  readonly purl: string;
  readonly parts: PackageUrl;
  readonly architecture?: string;
  readonly distribution?: Distribution;
  readonly sourcePackage?: SourcePackage;
}

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

/** A name with its namespace, as the ecosystem spells it. */
export function joinedName(type: string, group: string | undefined, name: string): string {
  if (group === undefined || group === "" || isSystemPackage(type)) return name;
  return `${group}${type === "maven" ? ":" : "/"}${name}`;
}

/** The two parts of such a name, for formats that keep them apart. */
export function splitName(type: string, name: string): { readonly group?: string; readonly name: string } {
  const mark = type === "maven" ? name.indexOf(":") : type === "npm" || type === "composer" ? name.indexOf("/") : -1;
  return mark > 0 && mark < name.length - 1 ? { group: name.slice(0, mark), name: name.slice(mark + 1) } : { name };
}
