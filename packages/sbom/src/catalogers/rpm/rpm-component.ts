import { rpmPackageUrl } from "@touchmark/formats/package-url";
import type { Distribution } from "@touchmark/formats/sbom";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { fullVersion, type RpmPackage } from "./rpm-package.ts";

/** A package, and its key within what was found. */
export interface InstalledRpm {
  readonly key: string;
  readonly package: RpmPackage;
}

/** The component of a package in the database of the system below `root`. */
export function rpmComponent(
  root: string,
  { key, package: one }: InstalledRpm,
  file: CollectedFile,
  rule: string,
  distribution: Distribution | undefined,
): FoundComponent {
  const { name, version, epoch, architecture, licence, modularity } = one;
  const supplier = one.vendor ?? one.packager;
  return {
    key,
    kind: "library",
    name,
    version: fullVersion(version, epoch),
    type: "rpm",
    purl: rpmPackageUrl(name, version, {
      ...(distribution !== undefined && { vendor: vendorOf(distribution.id), distribution: distroOf(distribution) }),
      ...(architecture !== undefined && { architecture }),
      ...(epoch !== undefined && { epoch }),
    }),
    scope: "runtime",
    ...(one.source !== undefined && { sourcePackage: one.source }),
    ...(distribution !== undefined && { distribution }),
    ...(architecture !== undefined && { architecture }),
    ...(licence !== undefined && { declaredLicences: [normaliseDeclared(licence, file.path)] }),
    ...(supplier !== undefined && { supplier }),
    ...(one.summary !== undefined && { description: one.summary }),
    ...(one.homepage !== undefined && { homepage: one.homepage }),
    properties: modularity === undefined ? [] : [{ name: "touchmark:rpm-modularity", value: modularity }],
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
    owns: one.files.flatMap((path) => (path.startsWith("/") ? [root + path.slice(1)] : [])),
  };
}

/** The namespace of package URLs, where it is not the distribution's own word. */
function vendorOf(id: string): string {
  if (id === "rhel") return "redhat";
  if (id.startsWith("opensuse")) return "opensuse";
  return id === "sles" || id === "sled" ? "suse" : id;
}

function distroOf({ id, version, codename }: Distribution): string {
  const which = version || (codename ?? "");
  return which === "" ? id : `${id}-${which}`;
}
