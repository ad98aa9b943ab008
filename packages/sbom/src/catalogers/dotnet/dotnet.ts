import type { Cataloger, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { foundInEach } from "../each-file.ts";
import { readPackagesConfig } from "./packages-config.ts";
import { readPackagesLock } from "./packages-lock.ts";
import { readProjectAssets } from "./project-assets.ts";
import { readRuntimeDependencies } from "./runtime-dependencies.ts";

/** Packages of NuGet: locked, restored, and those that a built program comes with. */
export const dotnet: Cataloger = {
  name: "dotnet",
  wants: ({ name }) => readerOf(name) !== undefined,
  catalogue: (files) => foundInEach(files, (file) => (readerOf(file.name) ?? nothing)(file)),
};

function readerOf(name: string): ((file: CollectedFile) => Found) | undefined {
  // A project may name its lockfile: `packages.NAME.lock.json`.
  if (/^packages\.(?:.+\.)?lock\.json$/.test(name)) return readPackagesLock;
  if (/^packages(?:\..+)?\.config$/.test(name)) return readPackagesConfig;
  if (name === "project.assets.json") return readProjectAssets;
  return name.endsWith(".deps.json") && name.length > ".deps.json".length ? readRuntimeDependencies : undefined;
}

function nothing(): Found {
  return { components: [], edges: [], roots: [], losses: [] };
}
