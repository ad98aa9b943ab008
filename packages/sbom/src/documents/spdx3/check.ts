import type { DocumentReport } from "../problems.ts";
import { list, type Members } from "../shape.ts";

const createdSyntax = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const required: Readonly<Record<string, readonly string[]>> = {
  CreationInfo: ["created", "createdBy", "specVersion"],
  SpdxDocument: ["rootElement"],
  software_Package: ["name"],
  Relationship: ["from", "relationshipType", "to"],
  LifecycleScopedRelationship: ["from", "relationshipType", "to"],
  simplelicensing_LicenseExpression: ["simplelicensing_licenseExpression"],
};

/** Properties of a graph that its format does not allow so, or misses; none of them changes what the document lists. */
export function checkGraph(graph: readonly Members[], report: DocumentReport): void {
  let documents = 0;
  for (const [index, element] of graph.entries()) {
    const type = String(element["type"]);
    const where = `@graph[${index}]`;
    for (const name of Object.hasOwn(required, type) ? (required[type] ?? []) : []) {
      const value = element[name];
      if (value === undefined || (Array.isArray(value) && value.length === 0)) {
        report.defect(where, `expected ${name} of ${type}`);
      }
    }
    if (type === "SpdxDocument") documents++;
    if (type === "CreationInfo") {
      if (!createdSyntax.test(String(element["created"])))
        report.defect(`${where}.created`, "expected YYYY-MM-DDThh:mm:ssZ");
      if (!/^3\.0\.\d+$/.test(String(element["specVersion"]))) report.defect(`${where}.specVersion`, "expected 3.0.1");
    } else if (element["creationInfo"] === undefined && element["spdxId"] !== undefined) {
      report.defect(where, "expected creationInfo");
    }
    list(element["extension"], `${where}.extension`);
  }
  if (documents > 1) report.defect("@graph", `expected one SpdxDocument, found ${documents}`);
}
