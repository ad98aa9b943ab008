import { canonicalJson, sha256 } from "@touchmark/core";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import { inOrder } from "../order.ts";
import { DocumentReport } from "../problems.ts";
import { componentResidue, frameResidue, type Residue, reportResidue, residuePrefix } from "../residue.ts";
import type { Members } from "../shape.ts";
import { refsOfPackages } from "../spdx2/context.ts";
import { readCreation, writeCreation } from "../spdx2/frame.ts";
import { spdxIdentifier } from "../spdx2/package.ts";
import { type GraphContext, graphContext } from "./context.ts";
import { GraphElements } from "./elements.ts";
import { extensionProperties, propertiesExtension, readGraphPackage, writeGraphPackage } from "./package.ts";

/** An SBOM as an SPDX 3.0.1 document in JSON-LD; its name space is made of its content. */
export function graphDocument(sbom: Sbom, report: DocumentReport): Members {
  const { components, dependencies, ...frame } = sbom;
  const space = `https://touchmark.dev/spdx/${sha256(canonicalJson(sbom)).slice("sha256:".length)}#`;
  const elements = new GraphElements(space);
  const ids = new Map(
    components.map((component) => [component.ref, `${space}${spdxIdentifier(component).slice("SPDXRef-".length)}`]),
  );
  const idOf = (ref: string): string => ids.get(ref) ?? ref;
  const byRef = new Map(components.map((component) => [component.ref, component]));
  const wanted = new Set(dependencies.flatMap(({ to }) => to));
  const context: GraphContext = {
    distribution: sbom.distribution,
    direct: new Set(dependencies.find(({ from }) => from === sbom.root)?.to.map(idOf)),
    refs: refsOfPackages(components.map(({ ref, purl }) => [idOf(ref), purl])),
    scopes: new Map([...wanted].map((ref) => [idOf(ref), byRef.get(ref)?.scope ?? "unknown"])),
    report: new DocumentReport(),
  };
  for (const component of components) {
    const id = idOf(component.ref);
    const written = writeGraphPackage(component, id, elements.creation);
    const read = readGraphPackage(written, "", context);
    const residue = componentResidue(component, read);
    reportResidue(residue, read, { of: "a component", by: "extensions" }, report);
    const supplier = written.supplier === undefined ? {} : { suppliedBy: elements.organization(written.supplier) };
    elements.add({ ...withResidue(written.element, residue), ...supplier });
    for (const expression of written.declared) {
      elements.relate(id, "hasDeclaredLicense", [elements.licence(expression, written.extracted)]);
    }
  }
  for (const { from, to } of dependencies) {
    if (to.length === 0) elements.relate(idOf(from), "dependsOn", ["NoneElement"], { completeness: "complete" });
    for (const [scope, refs] of byScope(to, byRef)) elements.depend(idOf(from), refs.map(idOf), scope);
  }
  const creation = writeCreation(frame);
  const root = byRef.get(sbom.root) as Component;
  const readRoot = readGraphPackage(writeGraphPackage(root, idOf(root.ref), elements.creation), "", context);
  const readFrame = readCreation({ creationInfo: creation }, { ...readRoot, ref: root.ref });
  const residue = frameResidue(frame, readFrame);
  reportResidue(residue, readFrame, { of: "the document", by: "extensions" }, report);
  const document = elements.document({
    name: sbom.subject.name === "" ? "NOASSERTION" : sbom.subject.name,
    root: idOf(sbom.root),
    creation,
    extension: withResidue({}, residue),
  });
  return { "@context": graphContext, "@graph": document };
}

function withResidue(element: Members, residue: Residue): Members {
  if (residue.size === 0) return element;
  const told = [...residue].map(([name, value]) => ({ name: `${residuePrefix}${name}`, value }));
  return { ...element, ...propertiesExtension([...extensionProperties(element, ""), ...told]) };
}

/** What one component depends on, by what it is needed for: each scope is a relationship of its own. */
function byScope(
  to: readonly string[],
  components: ReadonlyMap<string, Component>,
): readonly (readonly [Component["scope"], readonly string[]])[] {
  const groups = new Map<Component["scope"], string[]>();
  for (const ref of to) {
    const scope = components.get(ref)?.scope ?? "unknown";
    groups.set(scope, [...(groups.get(scope) ?? []), ref]);
  }
  return inOrder(groups, ([scope]) => scope);
}
