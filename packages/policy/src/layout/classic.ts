import { type Digest, sha256 } from "@touchmark/core";
import type { ClassicArtifacts, ClassicLayout, ClassicLink } from "@touchmark/formats/in-toto";
import type { ArtifactRule } from "@touchmark/formats/policy";
import { digestText, filesOnly } from "./artifacts.ts";
import { layoutErrors } from "./errors.ts";
import type { StepLink } from "./step-link.ts";

/** A classic link that a key signed, as evidence for the step whose file it is. */
export function stepLinkOfClassic(step: string, link: ClassicLink, bytes: Uint8Array, key: Digest): StepLink {
  const exitCode = link.byproducts["return-value"];
  return {
    statement: sha256(bytes),
    step,
    signer: { kind: "key", key },
    run: undefined,
    alsoRuns: [],
    command: link.command,
    exitCode: typeof exitCode === "number" ? exitCode : undefined,
    materials: filesOnly(artifactsOf(link.materials)),
    products: filesOnly(artifactsOf(link.products)),
    ...(link.name === step ? {} : { unusable: `it is the link of ${JSON.stringify(link.name.slice(0, 100))}` }),
  };
}

function artifactsOf(artifacts: ClassicArtifacts): ReadonlyMap<string, string> {
  return new Map(Object.entries(artifacts).map(([path, digests]) => [path, digestText(digests)]));
}

/** Values for the placeholders of a classic layout. */
export type LayoutParameters = ReadonlyMap<string, string>;

/**
 * Replaces `{NAME}` in commands and artifact rules; `{{` and `}}` are braces. It happens once, after the signatures
 * were verified, and a value is never looked into again. Without parameters nothing is replaced.
 * @throws LAYOUT_PARAMETER
 */
export function substituteParameters(layout: ClassicLayout, parameters: LayoutParameters): ClassicLayout {
  if (parameters.size === 0) return layout;
  const put = (text: string) => replaced(text, parameters);
  const rule = (each: ArtifactRule): ArtifactRule => ({
    ...each,
    pattern: put(each.pattern),
    ...(each.in === undefined ? {} : { in: put(each.in) }),
    ...(each.to === undefined ? {} : { to: put(each.to) }),
    ...(each.from === undefined ? {} : { from: put(each.from) }),
  });
  return {
    ...layout,
    steps: layout.steps.map((step) => ({
      ...step,
      command: step.command.map(put),
      materials: step.materials.map(rule),
      products: step.products.map(rule),
    })),
    inspections: layout.inspections.map((inspection) => ({
      ...inspection,
      run: inspection.run.map(put),
      materials: inspection.materials.map(rule),
      products: inspection.products.map(rule),
    })),
  };
}

function replaced(text: string, parameters: LayoutParameters): string {
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (found, name: string | undefined) => {
    if (found === "{{") return "{";
    if (found === "}}") return "}";
    const value = name === undefined ? undefined : parameters.get(name);
    if (value !== undefined) return value;
    throw layoutErrors.make("LAYOUT_PARAMETER", `no parameter for ${JSON.stringify(found.slice(0, 100))} was given`);
  });
}
