import { canonicalJson } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import { checkSbom } from "./assemble.ts";
import { contradictionsOf } from "./consistency.ts";
import { sbomDocumentErrors } from "./errors.ts";
import { orderedComponents, orderedEdges } from "./order.ts";
import type { DocumentReport } from "./problems.ts";
import { readComponentRecord, readEdgesRecord, readFrameRecord } from "./record.ts";
import { list, type Members } from "./shape.ts";

/** Value of the member `touchmark` of an SBOM in our own form. */
export const ownVersion = "sbom/v1";

/** An SBOM in our own form: its mark first, then members in the order of canonical JSON. Nothing is lost. */
export function ownText(sbom: Sbom, indent: number): string {
  const text = `{"touchmark":${JSON.stringify(ownVersion)},${canonicalJson(sbom).slice(1)}`;
  return indent === 0 ? text : JSON.stringify(JSON.parse(text), undefined, indent);
}

/** @throws SBOM_DOCUMENT_VERSION_UNSUPPORTED | SBOM_DOCUMENT_MALFORMED */
export function sbomOfOwn(document: Members, report: DocumentReport): Sbom {
  if (document["touchmark"] !== ownVersion) {
    throw sbomDocumentErrors.make("SBOM_DOCUMENT_VERSION_UNSUPPORTED", `expected touchmark: ${ownVersion}`);
  }
  const sbom: Sbom = {
    ...readFrameRecord(document, "document"),
    components: orderedComponents(
      list(document["components"], "components").map((component, index) =>
        readComponentRecord(component, `components[${index}]`),
      ),
    ),
    dependencies: orderedEdges(
      list(document["dependencies"], "dependencies").map((edges, index) =>
        readEdgesRecord(edges, `dependencies[${index}]`),
      ),
    ),
  };
  checkSbom(sbom);
  for (const component of sbom.components) {
    for (const contradiction of contradictionsOf(component)) {
      report.problem("SBOM_DOCUMENT_CONTRADICTION", component.ref, contradiction);
    }
  }
  return sbom;
}
