import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { FoundComponent } from "../../catalogue/cataloger.ts";
import { installedComponent, type ManifestFile, nameOf, occurrenceOf, withManifest } from "./installed-package.ts";
import { below, type Lock, ownDirectory, saysPlaces } from "./locks.ts";
import type { Manifests } from "./manifests.ts";

/** Components of lockfiles and of installed packages, joined: what is both is one. */
export interface ProjectTree {
  readonly components: Map<string, FoundComponent>;
  /** Keys by keys. */
  readonly edges: Map<string, ReadonlySet<string>>;
  /** Key of the component of each installed package, by its directory. */
  readonly keyOfPlace: Map<string, string>;
  /** Directories of projects that a lockfile has as packages, with their keys. */
  readonly ownPackages: Map<string, string>;
  /** Keys that no lockfile nor record of the client knows. */
  readonly unlocked: Set<string>;
}

/** Joins lockfiles with the packages that lie below their directories; then adds what no lockfile has. */
export function joinTree(locks: readonly Lock[], manifests: Manifests): ProjectTree {
  const tree: ProjectTree = {
    components: new Map(),
    edges: new Map(),
    keyOfPlace: new Map(),
    ownPackages: new Map(),
    unlocked: new Set(),
  };
  const byProject = Map.groupBy(manifests.installed.values(), ({ place }) => place?.project ?? "");
  for (const lock of locks) addLock(tree, lock, manifests, byProject);
  for (const found of manifests.installed.values()) {
    const directory = found.place?.directory ?? "";
    if (tree.keyOfPlace.has(directory)) continue;
    const key = `${directory}/package.json`;
    tree.components.set(key, installedComponent(found, key));
    tree.keyOfPlace.set(directory, key);
    tree.unlocked.add(key);
  }
  return tree;
}

function addLock(
  tree: ProjectTree,
  lock: Lock,
  manifests: Manifests,
  byProject: ReadonlyMap<string, readonly ManifestFile[]>,
): void {
  const installedAs = matchPlaces(tree, lock, manifests, byProject);
  const components = new Map(lock.found.components.map((component) => [component.key, component]));
  const kept = new Set<string>();
  for (const locked of lock.lockfile.packages) {
    const key = `${lock.file.path}#${locked.key}`;
    let component = components.get(key);
    if (component === undefined) continue;
    const places = installedAs.get(locked.key) ?? [];
    const own = ownDirectory(lock, locked);
    const project = own === undefined ? undefined : manifests.projects.get(own);
    if (lock.isRecord) {
      if (places.length === 0) continue;
      component = { ...component, occurrences: [] };
    }
    component = withInstalled(component, places);
    for (const { place } of places) tree.keyOfPlace.set(place?.directory ?? "", key);
    if (project !== undefined && own !== undefined && !tree.ownPackages.has(own)) {
      component = withManifest({ ...component, ...namesOf(component, project) }, project, "npm-manifest");
      tree.ownPackages.set(own, key);
    }
    kept.add(key);
    tree.components.set(key, component);
  }
  for (const { from, to } of lock.found.edges) {
    if (kept.has(from)) tree.edges.set(from, new Set(to.filter((key) => kept.has(key))));
  }
}

/** What the first installed copy says, with the places of all. */
function withInstalled(component: FoundComponent, places: readonly ManifestFile[]): FoundComponent {
  const [first, ...others] = places;
  if (first === undefined) return component;
  const known = withManifest(component, first, "npm-installed");
  return {
    ...known,
    occurrences: [...known.occurrences, ...others.map(({ file }) => occurrenceOf(file, "npm-installed"))],
    ownsBelow: [...(known.ownsBelow ?? []), ...others.flatMap(({ place }) => place?.directory ?? [])],
  };
}

/** pnpm and yarn do not repeat what a workspace is called. */
function namesOf(component: FoundComponent, { manifest }: ManifestFile): { name: string; version: string } {
  return { name: manifest.name ?? component.name, version: manifest.version ?? component.version };
}

/** Installed packages by the key of the locked package that they are. */
function matchPlaces(
  tree: ProjectTree,
  lock: Lock,
  manifests: Manifests,
  byProject: ReadonlyMap<string, readonly ManifestFile[]>,
): ReadonlyMap<string, readonly ManifestFile[]> {
  const matched = new Map<string, ManifestFile[]>();
  const isFree = ({ place }: ManifestFile): boolean => !tree.keyOfPlace.has(place?.directory ?? "");
  const isSame = (locked: LockedPackage, found: ManifestFile): boolean =>
    nameOf(found) === locked.name && (locked.version === "" || found.manifest.version === locked.version);
  if (saysPlaces(lock.lockfile)) {
    for (const locked of lock.lockfile.packages) {
      const found = manifests.installed.get(below(lock.directory, locked.key) ?? "");
      if (found !== undefined && isFree(found) && isSame(locked, found)) matched.set(locked.key, [found]);
    }
    return matched;
  }
  const byVersion = new Map<string, LockedPackage>();
  for (const locked of lock.lockfile.packages) {
    if (locked.from.kind === "local") continue;
    const spelled = `${locked.name}@${locked.version}`;
    if (!byVersion.has(spelled)) byVersion.set(spelled, locked);
  }
  const projects = new Set([
    lock.directory,
    ...lock.lockfile.packages.flatMap((locked) => ownDirectory(lock, locked) ?? []),
    // Archives that yarn keeps, each with one package inside.
    ...[...byProject.keys()].filter((project) => project.startsWith(below(lock.directory, ".yarn/cache") ?? "\0")),
  ]);
  for (const found of [...projects].flatMap((project) => byProject.get(project) ?? [])) {
    const named = `${nameOf(found)}@`;
    const locked = byVersion.get(`${named}${found.manifest.version ?? ""}`) ?? byVersion.get(named);
    if (locked === undefined || !isFree(found)) continue;
    const same = matched.get(locked.key);
    if (same === undefined) matched.set(locked.key, [found]);
    else same.push(found);
  }
  return matched;
}
