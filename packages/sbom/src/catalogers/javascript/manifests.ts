import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { npmErrors } from "./errors.ts";
import type { ManifestFile } from "./installed-package.ts";
import { readPackageManifest } from "./manifest.ts";
import { debianTrees, placeOf } from "./node-modules.ts";

/** Every package.json of a tree. */
export interface Manifests {
  /** By the directory of the package. */
  readonly installed: ReadonlyMap<string, ManifestFile>;
  /** By the directory of the project, empty for the root of the tree. */
  readonly projects: ReadonlyMap<string, ManifestFile>;
  readonly debianTrees: readonly string[];
  readonly losses: readonly ScanLoss[];
}

/** Reads all package.json files; those below an installed package that begin no package themselves are left alone. */
export function readManifests(files: readonly CollectedFile[]): Manifests {
  const installed = new Map<string, ManifestFile>();
  const projects = new Map<string, ManifestFile>();
  const losses: ScanLoss[] = [];
  for (const file of files) {
    if (file.name !== "package.json") continue;
    const place = placeOf(file.path);
    try {
      const manifest = readPackageManifest(file);
      if (place === undefined) {
        projects.set(file.path.slice(0, -"/package.json".length), { file, manifest });
        continue;
      }
      if (manifest.version !== undefined) installed.set(place.directory, { file, manifest, place });
      else if (place.isChained) {
        losses.push(scanLoss(file.path, npmErrors.make("SBOM_NPM_MANIFEST", "expected a version, found none")));
      }
    } catch (error) {
      losses.push(scanLoss(file.path, error));
    }
  }
  return { installed, projects, debianTrees: debianTrees(installed.values()), losses };
}
