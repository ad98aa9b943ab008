import type { Sbom } from "@touchmark/formats/sbom";
import { checkSbom } from "./assemble.ts";
import { jsonStyle, xmlStyle } from "./cyclonedx/style.ts";
import { cycloneDocument } from "./cyclonedx/write.ts";
import { cycloneXml } from "./cyclonedx/xml-write.ts";
import { sbomDocumentErrors } from "./errors.ts";
import { type SbomFormat, sbomFormats } from "./formats.ts";
import { ownText } from "./own.ts";
import { DocumentReport } from "./problems.ts";
import { spdxJsonStyle, tagValueStyle } from "./spdx2/style.ts";
import { tagValueText } from "./spdx2/tag-value-write.ts";
import { spdxDocument } from "./spdx2/write.ts";
import { graphDocument } from "./spdx3/write.ts";

/** A document, and what it tells in words of ours only, or not at all. */
export interface WrittenSbom {
  readonly bytes: Uint8Array;
  readonly losses: readonly string[];
}

/**
 * Writes an SBOM. The same SBOM gives the same bytes: serial numbers and namespaces are made of the content, the time is
 * the SBOM's own. Whatever the format has no member for stands in properties or annotations named `touchmark:sbom:*`, so
 * that reading gives the same SBOM; it is listed as a loss, since other readers do not know them.
 * @throws SBOM_DOCUMENT_FORMAT_UNKNOWN | SBOM_DOCUMENT_MALFORMED
 */
export function writeSbom(sbom: Sbom, format: SbomFormat, options: { readonly indent?: number } = {}): WrittenSbom {
  checkSbom(sbom);
  const report = new DocumentReport();
  const text = textOf(sbom, format, options.indent ?? 0, report);
  return { bytes: Buffer.from(`${text}\n`), losses: report.losses() };
}

function textOf(sbom: Sbom, format: SbomFormat, indent: number, report: DocumentReport): string {
  switch (format) {
    case "cyclonedx-json":
      return JSON.stringify(cycloneDocument(sbom, "1.6", jsonStyle, report), undefined, indent);
    case "cyclonedx-1.7-json":
      return JSON.stringify(cycloneDocument(sbom, "1.7", jsonStyle, report), undefined, indent);
    case "cyclonedx-xml":
      return cycloneXml(cycloneDocument(sbom, "1.6", xmlStyle, report), indent);
    case "spdx-json":
      return JSON.stringify(spdxDocument(sbom, spdxJsonStyle, report), undefined, indent);
    case "spdx-tag-value":
      return tagValueText(spdxDocument(sbom, tagValueStyle, report));
    case "spdx-3-json":
      return JSON.stringify(graphDocument(sbom, report), undefined, indent);
    case "touchmark-json":
      return ownText(sbom, indent);
    default:
      throw sbomDocumentErrors.make(
        "SBOM_DOCUMENT_FORMAT_UNKNOWN",
        `expected one of ${sbomFormats.join(", ")}, found ${JSON.stringify(format)}`,
      );
  }
}
