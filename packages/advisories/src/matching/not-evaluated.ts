import type { NotEvaluated } from "@touchmark/formats/findings";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import type { Untargeted } from "./targets.ts";

/** Kinds of components that are no packages: nothing publishes advisories for them by name and version. */
const noPackages: ReadonlySet<Component["kind"]> = new Set(["file", "container", "operating-system", "data", "device"]);

/**
 * States that nothing can be said of a component. Undefined for what is no package: files, the subject itself, and the
 * projects whose dependencies are matched.
 */
export function notEvaluatedOf(component: Component, why: Untargeted, sbom: Sbom): NotEvaluated | undefined {
  if (component.ref === sbom.root || noPackages.has(component.kind) || why === "project") return undefined;
  return { component: component.ref, reason: why, message: messageOf(component, why) };
}

function messageOf(component: Component, why: Exclude<Untargeted, "project">): string {
  switch (why) {
    case "no-ecosystem":
      return `No advisories are published for packages of type ${component.type || "unknown"}.`;
    case "no-distribution":
      return "The distribution that this package belongs to is not known.";
    case "no-version":
      return "Its version is not known.";
    case "ecosystem-without-data":
      return "The advisory database has no data for its ecosystem or for the release of its distribution.";
  }
}
