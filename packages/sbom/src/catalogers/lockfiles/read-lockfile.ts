import type { FactoryError } from "@touchmark/core";
import { type Lockfile, readLockfile } from "@touchmark/formats/lockfiles";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { foundFromLockfile } from "./found-from-lockfile.ts";

/** A lockfile as far as it could be read, and what could not. */
export interface ReadLockfile {
  /** Undefined when nothing of it could be read. */
  readonly lockfile?: Lockfile;
  readonly losses: readonly ScanLoss[];
}

/**
 * Reads a lockfile of a scanned tree. Entries that the door would refuse are kept as far as they can be read, and stated
 * as losses, one for each code. Files beside it (package.json, pyproject.toml, ...) are used where some cataloger
 * collected them. `name` is that of its format's own file, for a copy under another name.
 */
export function readCollectedLockfile(
  file: CollectedFile,
  context: CatalogueContext,
  name: string = file.name,
): ReadLockfile {
  const refusals = new Map<string, { readonly first: FactoryError; count: number }>();
  const tolerate = (refusal: FactoryError): void => {
    const known = refusals.get(refusal.code);
    if (known === undefined) refusals.set(refusal.code, { first: refusal, count: 1 });
    else known.count++;
  };
  const directory = file.path.slice(0, file.path.length - file.name.length);
  const companion = (path: string): Uint8Array | undefined => context.file(`${directory}${path}`)?.bytes();
  try {
    const lockfile = readLockfile(`${directory}${name}`, file.bytes(), { companion, tolerate });
    return { lockfile, losses: lossesOf(file.path, refusals) };
  } catch (error) {
    return { losses: [...lossesOf(file.path, refusals), scanLoss(file.path, error)] };
  }
}

/** The same, as components and edges; `rule` stands in every occurrence. */
export function catalogueLockfile(file: CollectedFile, context: CatalogueContext, rule: string): Found {
  const { lockfile, losses } = readCollectedLockfile(file, context);
  if (lockfile === undefined) return { components: [], edges: [], roots: [], losses };
  return { ...foundFromLockfile(lockfile, file, rule), losses };
}

function lossesOf(
  path: string,
  refusals: ReadonlyMap<string, { readonly first: FactoryError; readonly count: number }>,
): ScanLoss[] {
  return [...refusals].map(([code, { first, count }]) => ({
    path,
    code,
    message: count === 1 ? first.message : `${first.message} (the first of ${count} such entries)`,
  }));
}
