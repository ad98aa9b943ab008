import { packageUrl } from "@touchmark/formats/package-url";
import type { LicenceFact, ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { attempt } from "../attempt.ts";
import { scanLoss } from "../scan-loss.ts";
import { type DirectOrigin, readDirectUrl } from "./direct-url.ts";
import { pythonErrors } from "./errors.ts";
import { type PythonMetadata, readPythonMetadata } from "./metadata.ts";
import { type OwnedFiles, readInstalledFiles, readRecord } from "./record.ts";
import { type PythonRequirement, readRequirement, readRequiresText } from "./requirement.ts";

/** An installed distribution. */
export interface Distribution {
  readonly component: FoundComponent;
  /** The directory that it is installed into: `usr/lib/python3/dist-packages`. */
  readonly site: string;
  readonly requires: readonly PythonRequirement[];
  /** Somebody asked for it by name. */
  readonly isRequested: boolean;
}

const metadataPath =
  /^(?:(.*)\/)?([^/]+)\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info|egg\/EGG-INFO\/PKG-INFO)$/;
const companionPath =
  /\.(?:dist-info\/(?:RECORD|direct_url\.json|top_level\.txt)|(?:egg-info|egg\/EGG-INFO)\/(?:requires|installed-files|top_level)\.txt)$/;

/** True for the metadata of an installed distribution. */
export function isPythonMetadata(path: string): boolean {
  return metadataPath.test(path);
}

/** True for what stands beside it. */
export function isBesidePythonMetadata(path: string): boolean {
  return companionPath.test(path);
}

/** Reads a distribution by its metadata and what stands beside it. Undefined when nothing tells what it is. */
export function readDistribution(
  file: CollectedFile,
  context: CatalogueContext,
): { readonly distribution?: Distribution; readonly losses: readonly ScanLoss[] } {
  const losses: ScanLoss[] = [];
  const keep = <T>(read: () => T, path: string): T | undefined => {
    try {
      return read();
    } catch (error) {
      losses.push(scanLoss(path, error));
      return undefined;
    }
  };
  const [, parent = "", stem = ""] = metadataPath.exec(file.path) ?? [];
  const directory = file.path.slice(0, file.path.length - file.name.length - 1);
  const isEgg = directory.endsWith("/EGG-INFO");
  const isOneFile = file.path.endsWith(".egg-info");
  const site = isEgg ? directory.slice(0, -"/EGG-INFO".length) : parent;
  const beside = (name: string): CollectedFile | undefined =>
    isOneFile ? undefined : context.file(`${directory}/${name}`);
  const metadata = keep(() => readPythonMetadata(file), file.path) ?? { licenceClassifiers: [], requires: [] };
  const named = namesOf(metadata, stem);
  if (metadata.name === undefined || metadata.version === undefined) {
    const error = pythonErrors.make("SBOM_PYTHON_METADATA", "expected headers Name and Version");
    losses.push(scanLoss(file.path, error));
  }
  if (named === undefined) return { losses };
  const direct = beside("direct_url.json");
  const origin = direct && keep(() => readDirectUrl(direct.bytes(65_536)), direct.path);
  const record = beside("RECORD") ?? beside("installed-files.txt");
  const owned = record && keep(() => readOwned(record, site, directory), record.path);
  if (record !== undefined && owned !== undefined && owned.outside > 0) {
    const message = `${owned.outside} files lie outside of the scanned tree`;
    losses.push(scanLoss(record.path, pythonErrors.make("SBOM_PYTHON_RECORD", message)));
  }
  const requiresText = beside("requires.txt");
  const texts = metadata.requires.flatMap((text) => readRequirement(text) ?? []);
  const requires = texts.length > 0 || requiresText === undefined ? texts : readRequiresText(textOf(requiresText));
  const below = owned === undefined ? topLevel(beside("top_level.txt"), site) : [];
  const component: FoundComponent = {
    ...componentOf(named, metadata, origin, file),
    ...(owned !== undefined && { owns: owned.paths }),
    ownsBelow: [...(isEgg ? [site] : isOneFile ? [] : [directory]), ...below],
  };
  const isRequested = !isOneFile && context.exists(`${directory}/REQUESTED`);
  return { distribution: { component, site, requires, isRequested }, losses };
}

function textOf(file: CollectedFile): string {
  return Buffer.from(file.bytes()).toString("utf8");
}

function readOwned(record: CollectedFile, site: string, directory: string): OwnedFiles {
  return record.name === "RECORD" ? readRecord(textOf(record), site) : readInstalledFiles(textOf(record), directory);
}

/** As its headers say, else as its directory is called: `NAME-VERSION.dist-info`, `NAME-VERSION-py3.11.egg-info`. */
function namesOf(metadata: PythonMetadata, stem: string): { name: string; version: string } | undefined {
  const [, name, version] = /^([A-Za-z0-9][A-Za-z0-9._]*)-([0-9][^-]*)(?:-py[0-9.]+.*)?$/.exec(stem) ?? [];
  const found = { name: metadata.name ?? name, version: metadata.version ?? version };
  if (found.name === undefined || found.version === undefined) return undefined;
  return { name: found.name, version: found.version };
}

/** What an egg-info without a list of files installed: modules and packages by their names. */
function topLevel(file: CollectedFile | undefined, site: string): string[] {
  if (file === undefined || file.size > 65_536) return [];
  const names = textOf(file)
    .split(/\s+/)
    .filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return names.map((name) => (site === "" ? name : `${site}/${name}`));
}

function componentOf(
  { name, version }: { readonly name: string; readonly version: string },
  metadata: PythonMetadata,
  origin: DirectOrigin | undefined,
  file: CollectedFile,
): FoundComponent {
  const purl = attempt(() =>
    packageUrl({ type: "pypi", name, version, ...(origin?.qualifiers && { qualifiers: origin.qualifiers }) }),
  );
  const properties = [
    ...(origin?.isEditable ? [{ name: "touchmark:editable", value: "true" }] : []),
    ...(origin?.localPath === undefined ? [] : [{ name: "touchmark:local-path", value: origin.localPath }]),
  ];
  return {
    key: file.path,
    kind: "library",
    name,
    version,
    ...(purl !== undefined && { purl }),
    type: "pypi",
    scope: "unknown",
    direct: false,
    hashes: origin?.hashes ?? [],
    declaredLicences: licencesOf(metadata, file.path),
    ...(metadata.supplier !== undefined && { supplier: metadata.supplier }),
    ...(metadata.summary !== undefined && { description: metadata.summary }),
    ...(metadata.homepage !== undefined && { homepage: metadata.homepage }),
    ...(origin?.downloadLocation !== undefined && { downloadLocation: origin.downloadLocation }),
    occurrences: [
      {
        path: file.path,
        ...(file.layer !== undefined && { layer: file.layer }),
        rule: file.path.endsWith("METADATA") ? "python-dist-info" : "python-egg-info",
      },
    ],
    properties,
  };
}

/** The expression where there is one; else the short name, and classifiers where that names no licence. */
function licencesOf({ licenceExpression, licence, licenceClassifiers }: PythonMetadata, path: string): LicenceFact[] {
  if (licenceExpression !== undefined) return [normaliseDeclared(licenceExpression, path)];
  const isName = licence !== undefined && licence.length <= 200;
  const named = isName ? [normaliseDeclared(licence, path)] : [];
  if (named.some(({ expression }) => expression !== undefined)) return named;
  const classified = licenceClassifiers.map((classifier) => normaliseDeclared(classifier, path));
  const known = classified.filter(({ expression }) => expression !== undefined);
  return known.length > 0 ? known : [...named, ...classified];
}
