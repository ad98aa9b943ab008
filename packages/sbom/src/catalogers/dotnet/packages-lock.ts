import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed, isObject, type JsonObject, objectIn, readJsonObject, textIn } from "../json-object.ts";
import { type LinkedLibraries, linked } from "./linked.ts";
import { nugetComponent } from "./nuget-component.ts";

/** `packages.lock.json`: for each framework the packages that NuGet locked. @throws SBOM_FILE_MALFORMED */
export function readPackagesLock(file: CollectedFile): Found {
  const lock = readJsonObject(file);
  if (typeof lock["version"] !== "number") throw fileMalformed("expected the version of the format");
  const components = new Map<string, FoundComponent>();
  const links: LinkedLibraries[] = [];
  const roots = new Set<string>();
  for (const framework of Object.values(objectIn(lock, "dependencies"))) {
    if (!isObject(framework)) throw fileMalformed("expected packages for each framework");
    const keys = new Map<string, string>();
    for (const [name, entry] of Object.entries(framework)) {
      if (!isObject(entry)) throw fileMalformed(`expected ${name.slice(0, 100)} as an object`);
      const component = lockedComponent(file, name, entry);
      const isDirect = entry["type"] === "Direct" || entry["type"] === "Project";
      if (isDirect) roots.add(component.key);
      const known = components.get(component.key);
      components.set(component.key, { ...component, direct: isDirect || known?.direct === true });
      keys.set(name.toLowerCase(), component.key);
    }
    links.push({
      keys,
      needs: Object.entries(framework).map(([name, entry]) => [
        name,
        isObject(entry) ? Object.keys(objectIn(entry, "dependencies")) : [],
      ]),
    });
  }
  return { components: [...components.values()], edges: linked(links), roots: [...roots], losses: [] };
}

function lockedComponent(file: CollectedFile, name: string, entry: JsonObject): FoundComponent {
  const sha512 = textIn(entry, "contentHash");
  const isPackage = entry["type"] !== "Project";
  const version = textIn(entry, "resolved") ?? "";
  return nugetComponent(
    file,
    { name, version, isPackage, ...(sha512 !== undefined && { sha512 }) },
    "nuget-packages-lock",
  );
}
