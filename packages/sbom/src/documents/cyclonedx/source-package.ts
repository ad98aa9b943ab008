import type { Component, SourcePackage } from "@touchmark/formats/sbom";

const prefix = "aquasecurity:trivy:Src";

/** The source package as Trivy tells it in properties, for system packages whose package URL has no `upstream`. */
export function sourceOfProperties(properties: Component["properties"]): SourcePackage | undefined {
  const told = new Map(
    properties
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, value }) => [name.slice(prefix.length), value]),
  );
  const name = told.get("Name");
  const version = told.get("Version");
  if (name === undefined || version === undefined || name === "") return undefined;
  const epoch = told.get("Epoch");
  const release = told.get("Release");
  return {
    name,
    version: `${epoch === undefined || epoch === "0" ? "" : `${epoch}:`}${version}${release === undefined ? "" : `-${release}`}`,
  };
}
