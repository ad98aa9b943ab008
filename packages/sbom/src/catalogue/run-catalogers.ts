import { isFactoryError } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import { sourceErrors } from "../sources/errors.ts";
import type { CollectedTree } from "../sources/scanned-tree.ts";
import type { Cataloger, CatalogueContext, CollectedFile, Found } from "./cataloger.ts";

/** What all catalogers found, in their order; keys are unique within one of these only. */
export interface AllFound {
  readonly found: readonly Found[];
  readonly losses: readonly ScanLoss[];
}

/** Runs each cataloger that has a file. One that fails loses what it would have found, and nothing else. */
export async function runCatalogers(
  collected: CollectedTree,
  catalogers: readonly Cataloger[],
  context: CatalogueContext,
): Promise<AllFound> {
  const shares: CollectedFile[][] = catalogers.map(() => []);
  for (const { file, claims } of collected.files) for (const claim of claims) shares[claim]?.push(file);
  const found: Found[] = [];
  const losses: ScanLoss[] = [];
  for (const [index, cataloger] of catalogers.entries()) {
    context.signal?.throwIfAborted();
    const files = shares[index] ?? [];
    if (files.length === 0) continue;
    try {
      const one = await cataloger.catalogue(files, context);
      found.push(one);
      // One by one: a call takes no hundred thousand arguments.
      for (const loss of one.losses) losses.push(loss);
    } catch (error) {
      context.signal?.throwIfAborted();
      losses.push(lossOf(cataloger.name, files, error));
    }
  }
  return { found, losses };
}

function lossOf(name: string, files: readonly CollectedFile[], error: unknown): ScanLoss {
  const path = files.length === 1 ? (files[0]?.path ?? "") : "";
  const failure = isFactoryError(error)
    ? error
    : sourceErrors.make(
        "SBOM_SOURCE_CATALOGER_FAILED",
        `expected the cataloger to end, found: ${error instanceof Error ? error.message : String(error)}`,
      );
  return { path, code: failure.code, message: `${name}: ${failure.message}` };
}
