import type { ComponentScope } from "@touchmark/formats/sbom";
import type { IdentifiedEdges } from "../assemble.ts";
import { sbomDocumentErrors } from "../errors.ts";
import type { ExtractedLicence } from "../licences.ts";
import { documentLimits } from "../limits.ts";
import type { DocumentReport } from "../problems.ts";
import { list, type Members, objects, optionalText, text } from "../shape.ts";
import { widerScope } from "../spdx2/relations.ts";

/** What the relationships of a graph say, by identifiers. */
export interface GraphRelations {
  readonly edges: readonly IdentifiedEdges[];
  readonly scopes: ReadonlyMap<string, ComponentScope>;
  /** Licence expressions of packages. */
  readonly declared: ReadonlyMap<string, readonly string[]>;
  readonly concluded: ReadonlyMap<string, readonly string[]>;
  readonly extracted: ReadonlyMap<string, ExtractedLicence>;
}

const edgeTypes: ReadonlySet<string> = new Set([
  "dependsOn",
  "hasOptionalDependency",
  "hasProvidedDependency",
  "hasPrerequisite",
  "hasStaticLink",
  "hasDynamicLink",
]);
const scopesByWord: Readonly<Record<string, ComponentScope>> = {
  runtime: "runtime",
  development: "development",
  test: "development",
  build: "build",
};
const none = /^(?:NoneElement|(?:https:\/\/spdx\.org\/rdf\/3\.0\.[0-9]\/terms\/|spdx:)Core\/NoneElement)$/;
const unknown =
  /^(?:NoAssertionElement|(?:https:\/\/spdx\.org\/rdf\/3\.0\.[0-9]\/terms\/|spdx:)Core\/NoAssertionElement)$/;
const listed = /^https?:\/\/spdx\.org\/licenses\/([A-Za-z0-9.+-]+)$/;

/** Reads relationships of a graph; those that neither draw an edge nor name a licence are listed as losses. */
export function readGraphRelations(
  graph: readonly Members[],
  elements: ReadonlyMap<string, Members>,
  report: DocumentReport,
): GraphRelations {
  const edges: IdentifiedEdges[] = [];
  const scopes = new Map<string, ComponentScope>();
  const declared = new Map<string, string[]>();
  const concluded = new Map<string, string[]>();
  let count = 0;
  for (const [index, element] of graph.entries()) {
    if (element["type"] !== "Relationship" && element["type"] !== "LifecycleScopedRelationship") continue;
    const where = `@graph[${index}]`;
    const type = text(element["relationshipType"], `${where}.relationshipType`);
    const from = text(referenceOf(element["from"]), `${where}.from`);
    const to = list(element["to"], `${where}.to`).map((each) => text(referenceOf(each), `${where}.to`));
    count += to.length;
    if (count > documentLimits.relations) {
      throw sbomDocumentErrors.make(
        "SBOM_DOCUMENT_TOO_LARGE",
        `expected at most ${documentLimits.relations} relations`,
      );
    }
    if (edgeTypes.has(type)) {
      const scope = scopeOf(type, optionalText(element["scope"], `${where}.scope`));
      const known = to.filter((id) => !none.test(id) && !unknown.test(id));
      if (scope !== undefined) for (const id of known) scopes.set(id, widerScope(scopes.get(id), scope));
      if (known.length > 0 || to.some((id) => none.test(id))) edges.push({ from, to: known, where });
    } else if (type === "hasDeclaredLicense" || type === "hasConcludedLicense") {
      const expressions = to.flatMap((id) => expressionOf(id, elements));
      const all = type === "hasDeclaredLicense" ? declared : concluded;
      all.set(from, [...(all.get(from) ?? []), ...expressions].slice(0, 100));
    } else if (type !== "describes") report.loss(`relationships ${type.slice(0, 40)}`);
  }
  return { edges, scopes, declared, concluded, extracted: extractedOf(graph, elements) };
}

/** Identifier of what stands in the place of an element: a reference, or the element itself. */
export function referenceOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const element = value as Members;
  const id = element["spdxId"] ?? element["@id"];
  return typeof id === "string" ? id : undefined;
}

function scopeOf(type: string, word: string | undefined): ComponentScope | undefined {
  if (type === "hasOptionalDependency" || type === "hasProvidedDependency") return "optional";
  return word !== undefined && Object.hasOwn(scopesByWord, word) ? scopesByWord[word] : undefined;
}

function expressionOf(id: string, elements: ReadonlyMap<string, Members>): readonly string[] {
  const name = listed.exec(id)?.[1];
  if (name !== undefined) return [name];
  const expression = optionalText(
    elements.get(id)?.["simplelicensing_licenseExpression"],
    "simplelicensing_licenseExpression",
  );
  return expression === undefined ? [] : [expression];
}

/** Texts of references in expressions: their dictionaries name elements that hold them. */
function extractedOf(
  graph: readonly Members[],
  elements: ReadonlyMap<string, Members>,
): ReadonlyMap<string, ExtractedLicence> {
  const extracted = new Map<string, ExtractedLicence>();
  for (const [index, element] of graph.entries()) {
    const where = `@graph[${index}].simplelicensing_customIdToUri`;
    for (const entry of objects(element["simplelicensing_customIdToUri"], where)) {
      const key = text(entry["key"], `${where}.key`);
      const found = elements.get(optionalText(entry["value"], `${where}.value`) ?? "");
      const licence = optionalText(found?.["simplelicensing_licenseText"], "simplelicensing_licenseText");
      if (licence === undefined) continue;
      const name = optionalText(found?.["name"], "name");
      extracted.set(key, { text: licence, ...(name === undefined || name === key ? {} : { name }) });
    }
  }
  return extracted;
}
