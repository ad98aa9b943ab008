import type { ComponentScope } from "@touchmark/formats/sbom";
import type { IdentifiedEdges } from "../assemble.ts";
import { sbomDocumentErrors } from "../errors.ts";
import { documentLimits } from "../limits.ts";
import type { DocumentReport } from "../problems.ts";
import { type Members, objects, text, texts } from "../shape.ts";

/** How a relationship draws an edge: from its element to the related one, or the other way. */
const edges: Readonly<Record<string, { readonly isReversed: boolean; readonly scope?: ComponentScope }>> = {
  DEPENDS_ON: { isReversed: false },
  DEPENDENCY_OF: { isReversed: true },
  RUNTIME_DEPENDENCY_OF: { isReversed: true, scope: "runtime" },
  DEV_DEPENDENCY_OF: { isReversed: true, scope: "development" },
  TEST_DEPENDENCY_OF: { isReversed: true, scope: "development" },
  BUILD_DEPENDENCY_OF: { isReversed: true, scope: "build" },
  OPTIONAL_DEPENDENCY_OF: { isReversed: true, scope: "optional" },
  PROVIDED_DEPENDENCY_OF: { isReversed: true, scope: "optional" },
  HAS_PREREQUISITE: { isReversed: false },
  PREREQUISITE_FOR: { isReversed: true },
  STATIC_LINK: { isReversed: false },
  DYNAMIC_LINK: { isReversed: false },
};

/** What the relationships of a document say. */
export interface SpdxRelations {
  readonly edges: readonly IdentifiedEdges[];
  /** Identifiers of what the document describes. */
  readonly described: readonly string[];
  readonly scopes: ReadonlyMap<string, ComponentScope>;
}

const ownId = "SPDXRef-DOCUMENT";

/** Reads relationships of an SPDX 2 document; those that draw no edge are listed as losses. */
export function readRelations(document: Members, report: DocumentReport): SpdxRelations {
  const written = objects(document["relationships"], "relationships");
  if (written.length > documentLimits.relations) {
    throw sbomDocumentErrors.make("SBOM_DOCUMENT_TOO_LARGE", `expected at most ${documentLimits.relations} relations`);
  }
  const described = new Set(texts(document["documentDescribes"], "documentDescribes"));
  const scopes = new Map<string, ComponentScope>();
  const found: IdentifiedEdges[] = [];
  for (const [index, each] of written.entries()) {
    const where = `relationships[${index}]`;
    const type = text(each["relationshipType"], `${where}.relationshipType`);
    const element = text(each["spdxElementId"], `${where}.spdxElementId`);
    const related = text(each["relatedSpdxElement"], `${where}.relatedSpdxElement`);
    const edge = Object.hasOwn(edges, type) ? edges[type] : undefined;
    if (type === "DESCRIBES" && element === ownId) described.add(related);
    else if (type === "DESCRIBED_BY" && related === ownId) described.add(element);
    else if (edge === undefined) report.loss(`relationships ${type.slice(0, 40)}`);
    else if (related === "NONE") found.push({ from: element, to: [], where });
    else if (related === "NOASSERTION") report.loss(`relationships to NOASSERTION`);
    else if (`${element}${related}`.includes("DocumentRef-")) report.loss("relationships to other documents");
    else {
      const [from, to] = edge.isReversed ? [related, element] : [element, related];
      found.push({ from, to: [to], where });
      if (edge.scope !== undefined) scopes.set(to, widerScope(scopes.get(to), edge.scope));
    }
  }
  return { edges: found, described: [...described], scopes };
}

/** What somebody needs at run time is a runtime dependency, whoever else needs it for what. */
export function widerScope(a: ComponentScope | undefined, b: ComponentScope): ComponentScope {
  const order: readonly ComponentScope[] = ["runtime", "optional", "build", "development"];
  return a === undefined || order.indexOf(b) < order.indexOf(a) ? b : a;
}
