import { compareTreePaths } from "@touchmark/core";
import type { Sbom, SbomSubject, ScanLoss } from "@touchmark/formats/sbom";
import { distributionOf, isDistributionFile } from "../catalogers/distribution/distribution.ts";
import { isLicenceFile, withLicenceFiles } from "../licences/licence-files.ts";
import { defaultTreeLimits, type TreeLimits } from "../sources/limits.ts";
import type { CollectedTree, DeletedFile, ScannedTree } from "../sources/scanned-tree.ts";
import { assembleComponents } from "./assemble.ts";
import type { Cataloger, CatalogueContext, FileFacts } from "./cataloger.ts";
import { assembleEdges } from "./edges.ts";
import { Ownership } from "./ownership.ts";
import { rootComponent } from "./root.ts";
import { runCatalogers } from "./run-catalogers.ts";
import { findUnowned } from "./unowned.ts";

/** What to catalogue, and how. */
export interface CatalogueOptions {
  readonly catalogers: readonly Cataloger[];
  readonly subject: SbomSubject;
  /** RFC 3339. Fixed by the caller, so that the same input gives the same bytes. */
  readonly created?: string;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<TreeLimits>;
  /** Called now and then with the number of entries that were seen. */
  onProgress?(seen: number): void;
  /** Told of files of image layers that a later layer took away; they are not catalogued. */
  onDeleted?(file: DeletedFile): void;
}

/**
 * Says what a tree consists of: goes over it once, gives each cataloger the files that it wants, and makes one SBOM of
 * what they found (SPEC C). What cannot be read is a loss in the SBOM.
 * @throws SBOM_SOURCE_MISSING | SBOM_SOURCE_KIND | SBOM_SOURCE_TOO_MANY_FILES, the reason of an aborted signal, and
 *   errors of the layers' source
 */
export async function catalogue(tree: ScannedTree, options: CatalogueOptions): Promise<Sbom> {
  const { catalogers, signal } = options;
  const collected = await tree.collect({
    claim: (facts) => claims(catalogers, facts),
    limits: { ...defaultTreeLimits, ...options.limits },
    ...(signal !== undefined && { signal }),
    ...(options.onProgress !== undefined && { onProgress: options.onProgress.bind(options) }),
  });
  try {
    for (const file of collected.deleted) options.onDeleted?.(file);
    return await assemble(collected, options);
  } finally {
    collected.close();
  }
}

function claims(catalogers: readonly Cataloger[], facts: FileFacts): readonly number[] {
  // What system it is must be known whichever catalogers are asked; the number is of none of them.
  let found: number[] | undefined = isDistributionFile(facts) || isLicenceFile(facts) ? [-1] : undefined;
  for (const [index, cataloger] of catalogers.entries()) {
    if (!cataloger.wants(facts)) continue;
    found ??= [];
    found.push(index);
  }
  return found ?? nobody;
}

const nobody: readonly number[] = [];

async function assemble(collected: CollectedTree, options: CatalogueOptions): Promise<Sbom> {
  const files = collected.files.map(({ file }) => file);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const file = (path: string) => byPath.get(path) ?? byPath.get(collected.resolve(path));
  const distribution = distributionOf({ file });
  const context: CatalogueContext = {
    file,
    files: (matches) => files.filter(({ path }) => matches(path)),
    exists: (path) => byPath.has(path) || collected.exists(path),
    ...(distribution !== undefined && { distribution }),
    ...(options.signal !== undefined && { signal: options.signal }),
  };
  const { found: plain, losses: lost } = await runCatalogers(collected, options.catalogers, context);
  const { found, losses: unread } = withLicenceFiles(plain, files, context);
  const ownership = new Ownership(found, collected);
  const components = assembleComponents(found, ownership, files);
  const root = rootComponent(options.subject);
  const dependencies = assembleEdges(root.ref, found, components);
  const unowned = findUnowned(collected, ownership, components.all, options.subject);
  return {
    subject: options.subject,
    root: root.ref,
    components: [root, ...components.all].sort((a, b) => compareTreePaths(a.ref, b.ref)),
    dependencies,
    ...(distribution !== undefined && { distribution }),
    layers: collected.layers,
    losses: [...collected.losses, ...lost, ...unread].sort(compareLosses),
    ...(unowned !== undefined && { unowned }),
    files: { seen: collected.seen, catalogued: collected.files.length },
    ...(options.created !== undefined && { created: options.created }),
    tools: [{ name: "touchmark", version: toolVersion, vendor: "Touchmark" }],
  };
}

/** Version of this package; all packages have one. A test compares it with the manifest. */
const toolVersion = "0.1.0";

function compareLosses(a: ScanLoss, b: ScanLoss): number {
  return compareTreePaths(a.path, b.path) || compareTreePaths(a.code, b.code) || compareTreePaths(a.message, b.message);
}
