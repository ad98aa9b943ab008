import type { ManifestFile } from "./installed-package.ts";
import type { Manifests } from "./manifests.ts";
import { modulesOf, searchPath } from "./node-modules.ts";
import type { ProjectTree } from "./project-tree.ts";
import { reachedScopes, type ScopedEdges } from "./reached-scopes.ts";

/** Most look-ups of a name in a directory. */
const mostSteps = 5_000_000;

/** What a project's manifest asks for and finds, as keys. */
export interface ProjectWants {
  readonly runtime: readonly string[];
  readonly optional: readonly string[];
  readonly development: readonly string[];
}

export interface Resolved {
  /** By the directory of the project. */
  readonly wants: ReadonlyMap<string, ProjectWants>;
  readonly isComplete: boolean;
}

/**
 * Draws the edges of installed packages that no lockfile has, as Node resolves them, and sets their scopes by how the
 * manifests of their projects reach them. Edges of locked packages stay those of the lockfile.
 */
export function resolveInstalled(tree: ProjectTree, manifests: Manifests): Resolved {
  let left = mostSteps;
  const inStore = storeNames(manifests);
  const modules = modulesOf(manifests.installed.values());
  const find = (directory: string, names: readonly string[]): string[] => {
    const path = names.length === 0 ? [] : searchPath(modules, directory, manifests.debianTrees);
    return names.flatMap((name) => {
      left -= path.length + 1;
      if (left < 0) return [];
      const holder = path.find((one) => one.has(name));
      const found = holder?.get(name) ?? inStore(directory, name);
      const key = found === undefined ? undefined : tree.keyOfPlace.get(found);
      return key === undefined ? [] : [key];
    });
  };
  const scoped = new Map<string, ScopedEdges>();
  for (const [directory, found] of manifests.installed) {
    const key = tree.keyOfPlace.get(directory);
    if (key === undefined || !tree.unlocked.has(key)) continue;
    const optional = find(directory, found.manifest.optionalDependencies);
    const firm = find(directory, firmNames(found)).filter((one) => one !== key);
    scoped.set(key, { firm, optional });
    tree.edges.set(key, new Set([...firm, ...optional]));
  }
  const wants = new Map<string, ProjectWants>();
  for (const [directory, found] of manifests.projects) {
    const { optionalDependencies, devDependencies } = found.manifest;
    wants.set(directory, {
      runtime: find(directory, firmNames(found)),
      optional: find(directory, optionalDependencies),
      development: find(
        directory,
        devDependencies.filter((name) => !found.manifest.dependencies.includes(name)),
      ),
    });
  }
  setScopes(tree, scoped, wants);
  return { wants, isComplete: left >= 0 };
}

/** npm lists what is optional among the dependencies, too, when it publishes. */
function firmNames({ manifest }: ManifestFile): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const optional = new Set(optionalDependencies);
  return [...new Set([...dependencies, ...peerDependencies])].filter((name) => !optional.has(name));
}

function setScopes(
  tree: ProjectTree,
  scoped: ReadonlyMap<string, ScopedEdges>,
  wants: ReadonlyMap<string, ProjectWants>,
): void {
  const all = [...wants.values()];
  const scopes = reachedScopes(scoped, {
    runtime: all.flatMap(({ runtime }) => runtime),
    optional: all.flatMap(({ optional }) => optional),
    development: all.flatMap(({ development }) => development),
  });
  const direct = new Set(
    all.flatMap(({ runtime, optional, development }) => [...runtime, ...optional, ...development]),
  );
  for (const key of tree.unlocked) {
    const component = tree.components.get(key);
    if (component === undefined) continue;
    tree.components.set(key, { ...component, scope: scopes.get(key) ?? "unknown", direct: direct.has(key) });
  }
}

/**
 * pnpm links the packages of its store to each other, and links are not followed here: without the store's record, a
 * name that the store has in one version only means that one.
 */
function storeNames(manifests: Manifests): (directory: string, name: string) => string | undefined {
  const stores = new Map<string, Map<string, string | undefined>>();
  for (const [directory, { place }] of manifests.installed) {
    const store = storeOf(directory);
    if (store === undefined || place === undefined) continue;
    const names = stores.get(store) ?? new Map<string, string | undefined>();
    stores.set(store, names.set(place.name, names.has(place.name) ? undefined : directory));
  }
  return (directory, name) => {
    const store = storeOf(directory) ?? `${directory === "" ? "" : `${directory}/`}node_modules/.pnpm`;
    return stores.get(store)?.get(name);
  };
}

function storeOf(directory: string): string | undefined {
  const at = `/${directory}`.indexOf("/node_modules/.pnpm/");
  return at < 0 ? undefined : directory.slice(0, at + "node_modules/.pnpm".length);
}
