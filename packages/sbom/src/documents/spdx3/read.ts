import type { Component, Sbom } from "@touchmark/formats/sbom";
import { assembleSbom, type IdentifiedComponent } from "../assemble.ts";
import { sbomDocumentErrors } from "../errors.ts";
import { documentLimits } from "../limits.ts";
import { DocumentReport } from "../problems.ts";
import { overlayComponent, overlayFrame, type Residue, residuePrefix } from "../residue.ts";
import { madeUpRoot } from "../root.ts";
import { list, type Members, objects, optionalText, text } from "../shape.ts";
import { refsOfPackages } from "../spdx2/context.ts";
import { readCreation } from "../spdx2/frame.ts";
import { checkGraph } from "./check.ts";
import type { GraphContext, WrittenElement } from "./context.ts";
import { extensionProperties, purlOfElement, readGraphPackage, writeGraphPackage } from "./package.ts";
import { readGraphRelations, referenceOf } from "./relations.ts";

const packageTypes: ReadonlySet<string> = new Set([
  "software_Package",
  "software_File",
  "ai_AIPackage",
  "dataset_DatasetPackage",
]);
/** Types that are read for what they say of packages, or say nothing of what is inside. */
const otherTypes: ReadonlySet<string> = new Set([
  "CreationInfo",
  "SpdxDocument",
  "software_Sbom",
  "Bom",
  "Bundle",
  "Agent",
  "Organization",
  "Person",
  "SoftwareAgent",
  "Tool",
  "Relationship",
  "LifecycleScopedRelationship",
  "simplelicensing_LicenseExpression",
  "simplelicensing_SimpleLicensingText",
  "expandedlicensing_ListedLicense",
]);

/**
 * Reads the members of an SPDX 3.0 document in JSON-LD.
 * @throws SBOM_DOCUMENT_MALFORMED | SBOM_DOCUMENT_TOO_LARGE
 */
export function sbomOfGraph(document: Members, name: string, report: DocumentReport): Sbom {
  const graph = objects(document["@graph"] ?? [document], "@graph");
  checkGraph(graph, report);
  const packages: { readonly element: Members; readonly id: string; readonly where: string }[] = [];
  const elements = new Map<string, Members>();
  for (const [index, element] of graph.entries()) {
    const where = `@graph[${index}]`;
    const type = text(element["type"] ?? element["@type"], `${where}.type`);
    const id = referenceOf(element);
    if (id !== undefined && !elements.has(id)) elements.set(id, element);
    if (packageTypes.has(type)) packages.push({ element, id: text(id, `${where}.spdxId`), where });
    else if (!otherTypes.has(type)) report.loss(`elements ${type.slice(0, 60)}`);
  }
  if (packages.length > documentLimits.components) {
    throw sbomDocumentErrors.make("SBOM_DOCUMENT_TOO_LARGE", `expected at most ${documentLimits.components} packages`);
  }
  const relations = readGraphRelations(graph, elements, report);
  const roots = rootsOf(graph, elements);
  const [root] = roots;
  const context: GraphContext = {
    direct: new Set(relations.edges.filter(({ from }) => from === root).flatMap(({ to }) => to)),
    refs: refsOfPackages(packages.map(({ element, id, where }) => [id, purlOfElement(element, where)])),
    scopes: relations.scopes,
    report,
  };
  const writtenOf = (element: Members, id: string): WrittenElement => ({
    element: { ...element, spdxId: id },
    supplier: supplierOf(element, elements),
    declared: relations.declared.get(id) ?? [],
    concluded: relations.concluded.get(id) ?? [],
    extracted: relations.extracted,
  });
  const self = packages.find(({ id }) => id === root);
  const isKnown = roots.length === 1 && self !== undefined;
  const described: Component = isKnown
    ? readGraphPackage(writtenOf(self.element, self.id), "", { ...context, report: new DocumentReport() })
    : madeUpRoot(name);
  const own = graph.find(({ type }) => type === "SpdxDocument");
  const residue: Residue = own === undefined ? new Map() : residueOf(own, "SpdxDocument");
  const frame = overlayFrame(
    readCreation({ creationInfo: creationOf(own, graph, elements) }, described),
    residue,
    "SpdxDocument",
    report,
  );
  const whole: GraphContext = { ...context, distribution: frame.distribution };
  const components = packages.map(({ element, id, where }) => readWhole(writtenOf(element, id), id, where, whole));
  const { edges } = relations;
  const tellsDistribution = residue.has("distribution");
  if (isKnown) return assembleSbom({ frame, root: self.id, components, edges, tellsDistribution }, report);
  report.problem(
    "SBOM_DOCUMENT_SUBJECT_MISSING",
    "SpdxDocument",
    `the document has ${roots.length} root packages, not one`,
  );
  const made = { id: "_:touchmark-root", component: described, where: "SpdxDocument" };
  const hung = roots.length === 0 ? [] : [{ from: made.id, to: roots, where: "SpdxDocument.rootElement" }];
  return assembleSbom(
    { frame, root: made.id, components: [made, ...components], edges: [...edges, ...hung], tellsDistribution },
    report,
  );
}

function readWhole(written: WrittenElement, id: string, where: string, context: GraphContext): IdentifiedComponent {
  const native = readGraphPackage(written, where, context);
  const aside = { ...context, report: new DocumentReport() };
  const form = {
    write: (component: Component) => writeGraphPackage(component, id, ""),
    read: (again: WrittenElement) =>
      readGraphPackage({ ...again, extracted: new Map([...written.extracted, ...again.extracted]) }, where, aside),
  };
  const component = overlayComponent(native, residueOf(written.element, where), form, where, context.report);
  return { id, component, where };
}

function residueOf(element: Members, where: string): Residue {
  const told = extensionProperties(element, where).filter(({ name }) => name.startsWith(residuePrefix));
  return new Map(told.map(({ name, value }) => [name.slice(residuePrefix.length), value]));
}

/** Packages that the document is about: root elements of its document and SBOMs, collections followed. */
function rootsOf(graph: readonly Members[], elements: ReadonlyMap<string, Members>): readonly string[] {
  const documents = graph.filter(({ type }) => type === "SpdxDocument");
  const begin =
    documents.length > 0 ? documents : graph.filter(({ type }) => type === "software_Sbom" || type === "Bom");
  const found = new Set<string>();
  const seen = new Set<Members>(begin);
  const waiting = [...begin];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const each of list(next["rootElement"], "rootElement")) {
      const id = referenceOf(each);
      const element = id === undefined ? undefined : elements.get(id);
      if (id === undefined || element === undefined) continue;
      if (packageTypes.has(String(element["type"]))) found.add(id);
      else if (!seen.has(element)) {
        seen.add(element);
        waiting.push(element);
      }
    }
  }
  return [...found];
}

function supplierOf(element: Members, elements: ReadonlyMap<string, Members>): string | undefined {
  const agents = [element["suppliedBy"], ...list(element["originatedBy"], "originatedBy")];
  return agents
    .map(
      (agent) => elements.get(referenceOf(agent) ?? "") ?? (typeof agent === "object" ? (agent as Members) : undefined),
    )
    .map((agent) => optionalText(agent?.["name"], "suppliedBy.name"))
    .find((found) => found !== undefined);
}

/** Creation information in the words of SPDX 2: the time, and tools by name. */
function creationOf(
  own: Members | undefined,
  graph: readonly Members[],
  elements: ReadonlyMap<string, Members>,
): Members {
  const written = own?.["creationInfo"];
  const creation =
    (typeof written === "object" && written !== null ? (written as Members) : elements.get(String(written))) ??
    graph.find(({ type }) => type === "CreationInfo");
  const tools = list(creation?.["createdUsing"], "createdUsing").map((tool) => elements.get(referenceOf(tool) ?? ""));
  return {
    ...(creation?.["created"] === undefined ? {} : { created: creation["created"] }),
    creators: tools.flatMap((tool) => {
      const found = optionalText(tool?.["name"], "Tool.name");
      return found === undefined ? [] : [`Tool: ${found}`];
    }),
  };
}
