import type { ComponentScope, Distribution } from "@touchmark/formats/sbom";
import type { ExtractedLicence } from "../licences.ts";
import type { DocumentReport } from "../problems.ts";
import type { Members } from "../shape.ts";

/** What reading one package needs to know of its document. */
export interface SpdxContext {
  readonly distribution?: Distribution | undefined;
  /** Identifiers of what the root depends on. */
  readonly direct: ReadonlySet<string>;
  /** Ref of each identifier: its package URL where no other package has it. */
  readonly refs: ReadonlyMap<string, string>;
  /** Scopes that relationships tell of: `DEV_DEPENDENCY_OF`, ... */
  readonly scopes: ReadonlyMap<string, ComponentScope>;
  readonly report: DocumentReport;
}

/** A package, with the licences that it refers to. */
export interface WrittenPackage {
  readonly package: Members;
  readonly extracted: ReadonlyMap<string, ExtractedLicence>;
}

/** Refs of packages by identifier: the package URL where it is the only one, else the identifier. */
export function refsOfPackages(
  packages: Iterable<readonly [id: string, purl: string | undefined]>,
): Map<string, string> {
  const all = [...packages];
  const count = new Map<string, number>();
  for (const [, purl] of all) if (purl !== undefined) count.set(purl, (count.get(purl) ?? 0) + 1);
  return new Map(all.map(([id, purl]) => [id, purl !== undefined && count.get(purl) === 1 ? purl : id]));
}
