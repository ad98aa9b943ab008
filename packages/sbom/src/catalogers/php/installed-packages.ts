import type { Json } from "@touchmark/core";
import { parseJson } from "@touchmark/core";
import type { Cataloger, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { foundInEach } from "../each-file.ts";
import { fileMalformed, isObject, listIn } from "../json-object.ts";
import { composerFound } from "./composer-found.ts";
import { type ComposerPackage, composerPackage } from "./composer-package.ts";

const largest = 64 * 1024 * 1024;
const most = 200_000;

/** PHP packages that Composer installed, by the list that it keeps beside them. */
export const installedComposerPackages: Cataloger = {
  name: "installed-composer-packages",
  wants: ({ name, path }) => name === "installed.json" && /(?:^|\/)composer\/installed\.json$/.test(path),
  catalogue: (files) => foundInEach(files, foundInList),
};

function foundInList(file: CollectedFile): Found {
  const { packages, development } = listOf(parseJson(file.bytes(largest), { maxBytes: largest }));
  const all = new Map(packages.map((value, index) => composerPackage(value, index)).map((one) => [one.name, one]));
  const scoped = [...all.values()].map((one) => ({
    package: one,
    scope: development.has(one.name) ? ("development" as const) : ("runtime" as const),
  }));
  const found = composerFound(file, scoped, "composer-installed");
  return {
    ...found,
    components: found.components.map((component) => {
      const folder = folderOf(file, all.get(component.name));
      return folder === undefined ? component : { ...component, ownsBelow: [folder] };
    }),
  };
}

/** Composer 2 writes an object, Composer 1 the packages alone. */
function listOf(value: Json): { readonly packages: readonly Json[]; readonly development: ReadonlySet<Json> } {
  if (Array.isArray(value) && value.length <= most) return { packages: value, development: new Set() };
  if (!isObject(value)) throw fileMalformed("expected a list of packages");
  const names = listIn(value, "dev-package-names").map((name) =>
    typeof name === "string" ? name.toLowerCase() : name,
  );
  return { packages: listIn(value, "packages"), development: new Set(names) };
}

/**
 * The package's folder; Composer 1 always took the one of its name. A list cannot claim what lies outside the project
 * that it is in, nor anything but `vendor` where that is the whole tree: what it claims counts as known.
 */
function folderOf(file: CollectedFile, one: ComposerPackage | undefined): string | undefined {
  const vendor = file.path.split("/").slice(0, -2);
  const segments = [...vendor, "composer"];
  for (const segment of (one?.folder ?? `../${one?.name}`).split("/")) {
    if (segment === "..") {
      if (segments.pop() === undefined) return undefined;
    } else if (segment !== "." && segment !== "") segments.push(segment);
  }
  const project = vendor.length > 1 ? vendor.slice(0, -1) : vendor;
  const isInside = segments.length > project.length && project.every((segment, index) => segments[index] === segment);
  return isInside && segments.join("/") !== vendor.join("/") ? segments.join("/") : undefined;
}
