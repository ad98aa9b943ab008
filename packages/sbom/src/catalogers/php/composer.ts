import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { attempt } from "../attempt.ts";
import { foundInEach } from "../each-file.ts";
import { type JsonObject, listIn, readJsonObject, textIn } from "../json-object.ts";
import { composerFound, type ScopedPackage } from "./composer-found.ts";
import { composerPackage, packagesIn } from "./composer-package.ts";

/** A lockfile in the folder of an installed package is part of that package: nothing is installed by it. */
const insideVendor = /(?:^|\/)vendor\/[^/]+\/[^/]+\//;

/** PHP packages that Composer locked, with their edges and the project. */
export const composerLock: Cataloger = {
  name: "composer-lock",
  wants: ({ name, path }) => (name === "composer.lock" || name === "composer.json") && !insideVendor.test(path),
  catalogue: (files, context) =>
    foundInEach(
      files.filter(({ name }) => name === "composer.lock"),
      (file) => foundInLock(file, context),
    ),
};

function foundInLock(file: CollectedFile, context: CatalogueContext): Found {
  const lock = readJsonObject(file);
  const read = (member: string, scope: ScopedPackage["scope"]): readonly ScopedPackage[] =>
    listIn(lock, member).map((value, index) => ({ package: composerPackage(value, index), scope }));
  // A package stands in one of the two; were it in both, it is needed to run.
  const all = new Map(
    [...read("packages-dev", "development"), ...read("packages", "runtime")].map((one) => [one.package.name, one]),
  );
  const found = composerFound(file, [...all.values()], "composer-lock");
  const manifestFile = context.file(`${file.path.slice(0, -file.name.length)}composer.json`);
  const manifest = manifestFile === undefined ? undefined : attempt(() => readJsonObject(manifestFile));
  if (manifest === undefined) return found;
  const wanted = new Set([...packagesIn(manifest, "require"), ...packagesIn(manifest, "require-dev")]);
  const components = found.components.map((one) => ({ ...one, direct: wanted.has(one.name) }));
  const direct = components.filter((one) => one.direct).map(({ key }) => key);
  const project = projectOf(file, manifest);
  if (project === undefined) return { ...found, components, roots: direct };
  return {
    components: [project, ...components],
    edges: [{ from: project.key, to: direct }, ...found.edges],
    roots: [project.key],
    losses: [],
  };
}

function projectOf(file: CollectedFile, manifest: JsonObject): FoundComponent | undefined {
  const name = textIn(manifest, "name");
  if (name === undefined) return undefined;
  const licence = textIn(manifest, "license");
  return {
    key: `${file.path}#`,
    kind: "application",
    name,
    version: textIn(manifest, "version") ?? "",
    type: "composer",
    scope: "runtime",
    declaredLicences: licence === undefined ? [] : [normaliseDeclared(licence, file.path)],
    occurrences: [{ path: file.path, rule: "composer-lock", ...(file.layer !== undefined && { layer: file.layer }) }],
  };
}
