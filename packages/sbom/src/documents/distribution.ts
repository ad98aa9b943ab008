import type { Component, Distribution, Sbom } from "@touchmark/formats/sbom";
import { isSystemPackage } from "./package-facts.ts";

/**
 * The distribution of a document that does not name it as ours do: its one component that is an operating system. System
 * packages that say none belong to it.
 */
export function withDistribution(sbom: Sbom): Sbom {
  const systems = sbom.components.filter(({ kind, name }) => kind === "operating-system" && name !== "");
  const [system] = systems;
  const distribution = sbom.distribution ?? (systems.length === 1 ? distributionOf(system as Component) : undefined);
  if (distribution === undefined) return sbom;
  const components = sbom.components.map((component) =>
    component.distribution === undefined && isSystemPackage(component.type)
      ? { ...component, distribution }
      : component,
  );
  return { ...sbom, components, distribution };
}

function distributionOf({ name, version }: Component): Distribution {
  return { id: name.toLowerCase(), version };
}
