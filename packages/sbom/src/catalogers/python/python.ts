import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { foundFromLockfile } from "../lockfiles/found-from-lockfile.ts";
import { readCollectedLockfile } from "../lockfiles/read-lockfile.ts";
import { scanLoss } from "../scan-loss.ts";
import { isBesidePythonMetadata, isPythonMetadata, readDistribution } from "./distribution.ts";
import { environmentEdges } from "./environments.ts";
import { pythonErrors } from "./errors.ts";
import { type PythonLockfile, pythonLockfile } from "./lockfile-rules.ts";
import { unlockedProjects } from "./unlocked.ts";

/** pip, Poetry, uv and Pipenv: what lockfiles lock, and what lies in environments. */
export const python: Cataloger = {
  name: "python",
  wants(file) {
    if (pythonLockfile(file) !== undefined || file.name === "pyproject.toml" || file.name === "Pipfile") return true;
    return isPythonMetadata(file.path) || isBesidePythonMetadata(file.path);
  },
  catalogue(files, context): Found {
    const locked = files.flatMap((file) => {
      const lockfile = pythonLockfile(file);
      return lockfile === undefined ? [] : [foundInLockfile(file, lockfile, context)];
    });
    const installed = foundInstalled(files, context);
    const all = [...locked, installed];
    return {
      components: all.flatMap(({ components }) => components),
      edges: all.flatMap(({ edges }) => edges),
      roots: all.flatMap(({ roots }) => roots),
      losses: [...all.flatMap(({ losses }) => losses), ...unlockedProjects(files, installed.components)],
    };
  },
};

function foundInLockfile(file: CollectedFile, kind: PythonLockfile, context: CatalogueContext): Found {
  const { lockfile, losses } = readCollectedLockfile(file, context, kind.name);
  if (lockfile === undefined) return { components: [], edges: [], roots: [], losses };
  const found = foundFromLockfile(lockfile, file, kind.rule);
  const components = found.components.map(
    (component): FoundComponent =>
      kind.isDevelopment && component.scope === "runtime" ? { ...component, scope: "development" } : component,
  );
  return { ...found, components, losses };
}

function foundInstalled(files: readonly CollectedFile[], context: CatalogueContext): Found {
  const losses: ScanLoss[] = [];
  const distributions = files.flatMap((file) => {
    if (!isPythonMetadata(file.path)) return [];
    const read = readDistribution(file, context);
    losses.push(...read.losses);
    return read.distribution ?? [];
  });
  const { edges, roots, vendored, isComplete } = environmentEdges(distributions);
  if (!isComplete) {
    losses.push(scanLoss("", pythonErrors.make("SBOM_PYTHON_TOO_MANY", "distributions have too many requirements")));
  }
  const components = distributions.map(
    ({ component }): FoundComponent => ({
      ...component,
      direct: roots.has(component.key),
      ...(vendored.has(component.key) && {
        properties: [...(component.properties ?? []), { name: "touchmark:vendored", value: "true" }],
      }),
    }),
  );
  return {
    components,
    edges: [...edges].map(([from, to]) => ({ from, to: [...to] })),
    roots: [...roots],
    losses,
  };
}
