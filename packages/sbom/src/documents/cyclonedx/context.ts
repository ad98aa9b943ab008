import type { Distribution } from "@touchmark/formats/sbom";
import type { DocumentReport } from "../problems.ts";

/** Versions of CycloneDX that are written. */
export type CycloneVersion = "1.6" | "1.7";

/** What reading or writing one component needs to know of its document. */
export interface CycloneContext {
  readonly distribution?: Distribution | undefined;
  /** Identifiers of what the root depends on. */
  readonly direct: ReadonlySet<string>;
  readonly version: CycloneVersion;
  readonly report: DocumentReport;
}
