import type { ComponentScope, Distribution } from "@touchmark/formats/sbom";
import type { ExtractedLicence } from "../licences.ts";
import type { DocumentReport } from "../problems.ts";
import type { Members } from "../shape.ts";

/** What reading one package needs to know of its document. */
export interface GraphContext {
  readonly distribution?: Distribution | undefined;
  readonly direct: ReadonlySet<string>;
  readonly refs: ReadonlyMap<string, string>;
  readonly scopes: ReadonlyMap<string, ComponentScope>;
  readonly report: DocumentReport;
}

/** A package, and what other elements of the graph say of it. */
export interface WrittenElement {
  readonly element: Members;
  /** Name of the agent that supplies it. */
  readonly supplier?: string | undefined;
  readonly declared: readonly string[];
  readonly concluded: readonly string[];
  readonly extracted: ReadonlyMap<string, ExtractedLicence>;
}

/** The JSON-LD context of SPDX 3.0.1. */
export const graphContext = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
