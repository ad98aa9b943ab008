import { readLockfile } from "@touchmark/formats/lockfiles";
import type { ComponentHash, ScanLoss } from "@touchmark/formats/sbom";
import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";

/** Hashes of module content by `PATH@VERSION`. */
export interface GoSums {
  readonly hashes: ReadonlyMap<string, readonly ComponentHash[]>;
  readonly losses: readonly ScanLoss[];
}

/** Reads go.sum or go.work.sum; the hash of the module's content counts, not that of its go.mod alone. */
export function readGoSums(files: readonly (CollectedFile | undefined)[]): GoSums {
  const hashes = new Map<string, readonly ComponentHash[]>();
  const losses: ScanLoss[] = [];
  for (const file of files) {
    if (file === undefined) continue;
    try {
      // Alone, without the go.mod beside it: what that one asks for is compared elsewhere.
      const { packages } = readLockfile(file.name, file.bytes(), {
        tolerate: (refusal) => losses.push(scanLoss(file.path, refusal)),
      });
      for (const { name, version, digests } of packages) {
        const found = digests.map(({ algorithm, value }): ComponentHash => ({ algorithm, value }));
        if (found.length > 0) hashes.set(`${name}@${version}`, found);
      }
    } catch (error) {
      losses.push(scanLoss(file.path, error));
    }
  }
  return { hashes, losses };
}
