import type { ScanLoss } from "@touchmark/formats/sbom";
import { liesBelow } from "../lies-below.ts";
import { scanLoss } from "../scan-loss.ts";
import { npmErrors } from "./errors.ts";
import type { Lock } from "./locks.ts";
import type { Manifests } from "./manifests.ts";
import type { ProjectWants } from "./resolve-installed.ts";

/**
 * Projects that ask for packages, and neither a lockfile at or above them nor anything installed says which: what they
 * need is missing from the list, and that is stated. Programs of the system and archives of packages are no projects.
 */
export function unlockedProjects(
  locks: readonly Lock[],
  manifests: Manifests,
  wants: ReadonlyMap<string, ProjectWants>,
): readonly ScanLoss[] {
  const locked = new Set(locks.map(({ directory }) => directory));
  const losses: ScanLoss[] = [];
  for (const [directory, { file, manifest }] of manifests.projects) {
    const isPublished = !manifest.isPrivate && manifest.isUsable;
    const names = new Set([
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...(isPublished ? [] : manifest.devDependencies),
    ]);
    const { runtime = [], optional = [], development = [] } = wants.get(directory) ?? {};
    if (names.size === 0 || runtime.length + optional.length + development.length > 0) continue;
    if (/^usr\/|!\//.test(file.path) || liesBelow(directory, locked)) continue;
    const message = `${names.size} packages are asked for, and no lockfile nor installed package says in which version`;
    losses.push(scanLoss(file.path, npmErrors.make("SBOM_NPM_UNLOCKED", message)));
  }
  return losses;
}
