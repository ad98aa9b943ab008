import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed, isObject, type JsonObject, objectIn, textIn } from "../json-object.ts";
import type { LinkedLibraries } from "./linked.ts";
import { nugetComponent } from "./nuget-component.ts";

/** What `deps.json` and `project.assets.json` have in common: libraries, and targets in which they need each other. */
export interface Libraries {
  /** By `NAME/VERSION` in lower case. */
  readonly components: ReadonlyMap<string, FoundComponent>;
  readonly links: readonly LinkedLibraries[];
  /** Entries of targets, by the same names. */
  readonly targets: readonly JsonObject[];
}

const most = 200_000;
/** Kinds of libraries that are packages; others are projects and files that were built beside or referred to. */
const packageTypes = new Set(["package", "runtimepack"]);

/** Reads both. @throws SBOM_FILE_MALFORMED */
export function readLibraries(file: CollectedFile, document: JsonObject, rule: string): Libraries {
  const entries = Object.entries(objectIn(document, "libraries"));
  if (entries.length > most) throw fileMalformed(`expected at most ${most} libraries`);
  const components = new Map<string, FoundComponent>();
  for (const [written, entry] of entries) {
    if (!isObject(entry)) throw fileMalformed(`expected ${written.slice(0, 100)} as an object`);
    const [name, version] = nameAndVersion(written);
    const type = textIn(entry, "type")?.toLowerCase() ?? "";
    const sha512 = textIn(entry, "sha512");
    const isPackage = packageTypes.has(type);
    const named = type === "runtimepack" ? name.replace(/^runtimepack\./i, "") : name;
    const library = { name: named, version, isPackage, ...(sha512 !== undefined && { sha512 }) };
    components.set(written.toLowerCase(), nugetComponent(file, library, rule));
  }
  const targets = Object.values(objectIn(document, "targets")).filter(isObject);
  return { components, targets, links: targets.map((target) => linksOf(target, components)) };
}

/** Within one target each library has one version. */
function linksOf(target: JsonObject, components: ReadonlyMap<string, FoundComponent>): LinkedLibraries {
  const keys = new Map<string, string>();
  const needs: [string, string[]][] = [];
  for (const [written, entry] of Object.entries(target)) {
    const component = components.get(written.toLowerCase());
    if (component === undefined || !isObject(entry)) continue;
    const [name] = nameAndVersion(written);
    keys.set(name.toLowerCase(), component.key);
    needs.push([name, Object.keys(objectIn(entry, "dependencies"))]);
  }
  return { keys, needs };
}

export function nameAndVersion(written: string): [name: string, version: string] {
  const slash = written.indexOf("/");
  return slash < 0 ? [written, ""] : [written.slice(0, slash), written.slice(slash + 1)];
}
