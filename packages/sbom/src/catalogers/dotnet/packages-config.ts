import { childrenNamed, localName, readXml, xmlText } from "@touchmark/formats/xml";
import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed } from "../json-object.ts";
import { nugetComponent } from "./nuget-component.ts";

const largest = 16 * 1024 * 1024;

/** `packages.config` of older projects: the packages with their versions, and no edges. */
export function readPackagesConfig(file: CollectedFile): Found {
  const root = readXml(xmlText(file.bytes(largest)));
  if (localName(root.name) !== "packages") throw fileMalformed("expected a list of packages");
  const components = new Map<string, FoundComponent>();
  for (const { attributes, line } of childrenNamed(root, "package")) {
    const [name, version] = [attributes.get("id"), attributes.get("version")];
    if (name === undefined || version === undefined) throw fileMalformed(`line ${line}: expected an id and a version`);
    const component = nugetComponent(file, { name, version, isPackage: true }, "nuget-packages-config");
    const isDevelopment = attributes.get("developmentDependency")?.toLowerCase() === "true";
    components.set(component.key, { ...component, ...(isDevelopment && { scope: "development" as const }) });
  }
  return { components: [...components.values()], edges: [], roots: [...components.keys()], losses: [] };
}
