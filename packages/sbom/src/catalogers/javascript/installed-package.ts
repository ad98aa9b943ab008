import { npmPackageUrl } from "@touchmark/formats/package-url";
import type { LicenceFact, Occurrence } from "@touchmark/formats/sbom";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclaredList } from "../../licences/index.ts";
import { publicAddress } from "../address.ts";
import { attempt } from "../attempt.ts";
import { integrityHashes } from "./integrity.ts";
import type { PackageManifest } from "./manifest.ts";
import type { Place } from "./node-modules.ts";

/** A package as it lies in a directory of installed packages, or a project's own manifest. */
export interface ManifestFile {
  readonly file: CollectedFile;
  readonly manifest: PackageManifest;
  /** Undefined for projects. */
  readonly place?: Place;
}

/** Name and version that a manifest says; the name of its place where it has none. */
export function nameOf({ manifest, place }: ManifestFile): string {
  return manifest.name ?? place?.name ?? "";
}

/** The component of an installed package that no lockfile knows. */
export function installedComponent(found: ManifestFile, key: string): FoundComponent {
  const { manifest, place } = found;
  const name = nameOf(found);
  const version = manifest.version ?? "";
  const purl = attempt(() => npmPackageUrl(name, version === "" ? undefined : version));
  const isFetched = /^(?:https?|git\+[a-z]+):/.test(manifest.resolved ?? "");
  const downloadLocation = isFetched ? publicAddress(manifest.resolved ?? "") : undefined;
  return withManifest(
    {
      key,
      kind: "library",
      name,
      version,
      ...(purl !== undefined && { purl }),
      type: "npm",
      scope: "runtime",
      direct: false,
      hashes: manifest.integrity === undefined ? [] : integrityHashes(manifest.integrity),
      declaredLicences: [],
      ...(downloadLocation !== undefined && { downloadLocation }),
      occurrences: [],
      properties: place !== undefined && place.name !== name ? [{ name: "touchmark:alias", value: place.name }] : [],
    },
    found,
    "npm-installed",
  );
}

/** Adds what a package.json says to a component that a lockfile has, too: one component, found twice. */
export function withManifest(component: FoundComponent, found: ManifestFile, rule: string): FoundComponent {
  const { manifest, place, file } = found;
  const { declaredLicences = [], properties = [], ownsBelow = [] } = component;
  const isKnown = properties.some(({ name }) => name === "touchmark:install-scripts");
  return {
    ...component,
    declaredLicences: declaredLicences.length > 0 ? declaredLicences : licencesOf(found),
    ...(manifest.supplier !== undefined && { supplier: manifest.supplier }),
    ...(manifest.description !== undefined && { description: manifest.description }),
    ...(manifest.homepage !== undefined && { homepage: manifest.homepage }),
    occurrences: [...component.occurrences, occurrenceOf(file, rule)],
    ...(place !== undefined && { ownsBelow: [...ownsBelow, place.directory] }),
    properties:
      manifest.hasInstallScripts && !isKnown && place !== undefined
        ? [...properties, { name: "touchmark:install-scripts", value: "true" }]
        : properties,
  };
}

export function licencesOf({ manifest, file }: ManifestFile): LicenceFact[] {
  return [...normaliseDeclaredList(manifest.licences, "any", file.path)];
}

export function occurrenceOf(file: CollectedFile, rule: string): Occurrence {
  return { path: file.path, ...(file.layer !== undefined && { layer: file.layer }), rule };
}
