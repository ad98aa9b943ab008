import { isUtf8 } from "node:buffer";
import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import { sbomOfCyclone } from "./cyclonedx/read.ts";
import { jsonStyle, xmlStyle } from "./cyclonedx/style.ts";
import { cycloneMembers } from "./cyclonedx/xml-read.ts";
import { type SbomDocumentCode, sbomDocumentErrors } from "./errors.ts";
import { documentLimits } from "./limits.ts";
import { sbomOfOwn } from "./own.ts";
import { type DocumentProblem, DocumentReport } from "./problems.ts";
import { type Members, members } from "./shape.ts";
import { sbomOfSpdx } from "./spdx2/read.ts";
import { spdxJsonStyle, tagValueStyle } from "./spdx2/style.ts";
import { tagValueMembers } from "./spdx2/tag-value-read.ts";
import { sbomOfGraph } from "./spdx3/read.ts";

/** A document that was read. */
export interface ReadSbom {
  readonly sbom: Sbom;
  /** Format and version as the document says: `CycloneDX 1.6 JSON`, `SPDX 2.3 tag-value`, ... */
  readonly format: string;
  /** What the document says and an SBOM of ours has no place for. */
  readonly losses: readonly string[];
  /** What is wrong in the document. Errors stand in `sbom.losses` too. */
  readonly problems: readonly DocumentProblem[];
}

/**
 * Reads an SBOM document of any format, by what stands in it. Strict about structure; members that are not known are
 * passed over and listed. References that dangle, identifiers that stand twice and statements that contradict each other
 * are named, and take nothing away of what the document lists.
 * @throws SBOM_DOCUMENT_FORMAT_UNKNOWN | SBOM_DOCUMENT_VERSION_UNSUPPORTED | SBOM_DOCUMENT_MALFORMED |
 *   SBOM_DOCUMENT_TOO_LARGE | SBOM_DOCUMENT_TOO_DEEP
 */
export function readSbom(bytes: Uint8Array, options: { readonly name?: string } = {}): ReadSbom {
  if (bytes.length > documentLimits.bytes) {
    throw sbomDocumentErrors.make(
      "SBOM_DOCUMENT_TOO_LARGE",
      `expected at most ${documentLimits.bytes} bytes, found ${bytes.length}`,
    );
  }
  const report = new DocumentReport();
  const name = options.name ?? "document";
  const { sbom, format } = sbomOf(withoutMark(bytes), name, report);
  const problems = report.problems();
  const found = problems
    .filter(({ severity }) => severity === "error")
    .map(({ code, where, message }) => ({ path: where, code, message }));
  return {
    sbom: found.length === 0 ? sbom : { ...sbom, losses: [...sbom.losses, ...found] },
    format,
    losses: report.losses(),
    problems,
  };
}

function sbomOf(bytes: Uint8Array, name: string, report: DocumentReport): Pick<ReadSbom, "sbom" | "format"> {
  if (firstOf(bytes) === "<") {
    const document = xml(bytes);
    return {
      sbom: sbomOfCyclone(document, xmlStyle, name, report),
      format: `CycloneDX ${String(document["specVersion"])} XML`,
    };
  }
  if (isTagValue(bytes)) {
    const document = tagValueMembers(utf8(bytes), report);
    return { sbom: sbomOfSpdx(document, tagValueStyle, name, report), format: `SPDX ${versionOf(document)} tag-value` };
  }
  if (firstOf(bytes) !== "{") throw unknown();
  const document = members(json(bytes), "document");
  if (document["bomFormat"] === "CycloneDX") {
    return {
      sbom: sbomOfCyclone(document, jsonStyle, name, report),
      format: `CycloneDX ${String(document["specVersion"])} JSON`,
    };
  }
  if (document["spdxVersion"] !== undefined) {
    return { sbom: sbomOfSpdx(document, spdxJsonStyle, name, report), format: `SPDX ${versionOf(document)} JSON` };
  }
  const context = contextOf(document);
  if (context !== undefined) return { sbom: sbomOfGraph(document, name, report), format: `SPDX ${context} JSON-LD` };
  if (document["touchmark"] !== undefined) return { sbom: sbomOfOwn(document, report), format: "Touchmark JSON" };
  throw unknown();
}

/** A tag-value document has its version among its first tags; comments may stand before. */
function isTagValue(bytes: Uint8Array): boolean {
  return /^(?:[ \t]*(?:#.*)?\r?\n|[A-Za-z]{1,40}:.*\n){0,100}?SPDXVersion[ \t]*:/.test(
    Buffer.from(bytes.subarray(0, 16_384)).toString("latin1"),
  );
}

/** Version of the SPDX 3 context that a document names. @throws SBOM_DOCUMENT_VERSION_UNSUPPORTED */
function contextOf(document: Members): string | undefined {
  const context = document["@context"];
  const [, version] = /^https:\/\/spdx\.org\/rdf\/([0-9.]{1,12})\/spdx-context\.jsonld$/.exec(String(context)) ?? [];
  if (version === undefined || /^3\.0\.[01]$/.test(version)) return version;
  throw sbomDocumentErrors.make("SBOM_DOCUMENT_VERSION_UNSUPPORTED", `expected SPDX 3.0, found ${version}`);
}

function versionOf(document: Members): string {
  return String(document["spdxVersion"]).replace("SPDX-", "");
}

function utf8(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString("utf8");
  throw sbomDocumentErrors.make("SBOM_DOCUMENT_MALFORMED", "expected UTF-8");
}

const codes: Readonly<Record<string, SbomDocumentCode>> = {
  JSON_TOO_DEEP: "SBOM_DOCUMENT_TOO_DEEP",
  JSON_TOO_LARGE: "SBOM_DOCUMENT_TOO_LARGE",
};

function json(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxBytes: documentLimits.bytes, maxDepth: documentLimits.depth });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw sbomDocumentErrors.make(codes[cause.code] ?? "SBOM_DOCUMENT_MALFORMED", cause.message, { cause });
  }
}

const xmlCodes: Readonly<Record<string, SbomDocumentCode>> = {
  XML_TOO_DEEP: "SBOM_DOCUMENT_TOO_DEEP",
  XML_TOO_LARGE: "SBOM_DOCUMENT_TOO_LARGE",
};

function xml(bytes: Uint8Array): Members {
  try {
    const document = cycloneMembers(bytes);
    if (document !== undefined) return document;
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw sbomDocumentErrors.make(xmlCodes[cause.code] ?? "SBOM_DOCUMENT_MALFORMED", cause.message, { cause });
  }
  throw unknown();
}

/** First character that is no white space, whatever the encoding: XML may come in UTF-16. */
function firstOf(bytes: Uint8Array): string {
  return (
    Buffer.from(bytes.subarray(0, 512))
      .toString("latin1")
      .replace(/[\s\u0000\u00fe\u00ff]/g, "")[0] ?? ""
  );
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function unknown() {
  return sbomDocumentErrors.make("SBOM_DOCUMENT_FORMAT_UNKNOWN", "expected an SBOM document, found other content");
}
