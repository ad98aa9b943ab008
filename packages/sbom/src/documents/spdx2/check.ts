import { isAbsoluteUri } from "../iri.ts";
import { isMoment } from "../moment.ts";
import type { DocumentReport } from "../problems.ts";
import { type Members, objects, optionalMembers, texts } from "../shape.ts";

const idSyntax = /^SPDXRef-[A-Za-z0-9.-]+$/;
const creatorSyntax = /^(?:Tool|Person|Organization): ?\S/;

/** Members of a document that its format does not allow so, or misses; none of them changes what the document lists. */
export function checkSpdxDocument(document: Members, report: DocumentReport): void {
  const { SPDXID: id, name, dataLicense, documentNamespace: namespace } = document;
  if (id !== "SPDXRef-DOCUMENT") report.defect("SPDXID", "expected SPDXRef-DOCUMENT");
  if (name === undefined || name === "") report.defect("name", "expected the document's name");
  if (dataLicense !== "CC0-1.0") report.defect("dataLicense", "expected CC0-1.0");
  if (!isAbsoluteUri(String(namespace)) || String(namespace).includes("#")) {
    report.defect("documentNamespace", "expected a URI without fragment");
  }
  const creation = optionalMembers(document["creationInfo"], "creationInfo") ?? {};
  const created = String(creation["created"]);
  if (!isMoment(created) || !/^[^.]*Z$/.test(created)) {
    report.defect("creationInfo.created", "expected YYYY-MM-DDThh:mm:ssZ");
  }
  const creators = texts(creation["creators"], "creationInfo.creators");
  if (creators.length === 0) report.defect("creationInfo.creators", "expected at least one");
  if (!creators.every((creator) => creatorSyntax.test(creator))) {
    report.defect("creationInfo.creators", "expected Tool:, Person: or Organization: and a name");
  }
  for (const [index, each] of objects(document["packages"], "packages").entries()) {
    const where = `packages[${index}]`;
    if (!idSyntax.test(String(each["SPDXID"])))
      report.defect(`${where}.SPDXID`, "expected SPDXRef- and letters, digits, . or -");
    if (each["downloadLocation"] === undefined) {
      report.defect(`${where}.downloadLocation`, "expected an address, NONE or NOASSERTION");
    }
  }
}
