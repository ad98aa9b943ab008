import { npmPackageUrl } from "@touchmark/formats/package-url";
import type { FoundComponent } from "../../catalogue/cataloger.ts";
import { attempt } from "../attempt.ts";
import { licencesOf, type ManifestFile, occurrenceOf } from "./installed-package.ts";
import type { Lock } from "./locks.ts";
import type { Manifests } from "./manifests.ts";
import type { ProjectTree } from "./project-tree.ts";
import type { ProjectWants } from "./resolve-installed.ts";

/**
 * Adds a component for each project, with what it asks for; answers the keys that the scanned tree itself wants. What
 * lies in a global node_modules without any project is wanted when no other package asks for it.
 */
export function addProjects(
  tree: ProjectTree,
  locks: readonly Lock[],
  manifests: Manifests,
  wants: ReadonlyMap<string, ProjectWants>,
): readonly string[] {
  const roots = new Set<string>();
  const byDirectory = Map.groupBy(locks, ({ directory }) => directory);
  const withModules = new Set([...manifests.installed.values()].map(({ place }) => place?.project ?? ""));
  for (const directory of new Set([...byDirectory.keys(), ...manifests.projects.keys()])) {
    const project = manifests.projects.get(directory);
    const own = byDirectory.get(directory) ?? [];
    const asked = askedFor(tree, own, wants.get(directory));
    const isOwn = tree.ownPackages.has(directory);
    if (isOwn && own.length === 0) {
      addOwnEdges(tree, tree.ownPackages.get(directory) ?? "", asked);
      continue;
    }
    const isProject = own.length > 0 || withModules.has(directory) || asked.length > 0;
    const component = projectComponent(directory, project, own, isProject);
    if (component === undefined) {
      if (isProject) for (const key of asked) roots.add(key);
      continue;
    }
    tree.components.set(component.key, component);
    tree.edges.set(component.key, new Set(asked));
    roots.add(component.key);
  }
  for (const key of unasked(tree)) roots.add(key);
  return [...roots].sort();
}

/** What a project asks for: as its lockfiles say, else as its manifest and the records of what is installed do. */
function askedFor(tree: ProjectTree, locks: readonly Lock[], wants: ProjectWants | undefined): readonly string[] {
  const real = locks.filter(({ isRecord }) => !isRecord);
  const locked = (real.length > 0 ? real : locks).flatMap(({ file, lockfile }) => {
    const asked = lockfile.root?.dependencies ?? lockfile.packages.flatMap(({ direct, key }) => (direct ? [key] : []));
    return asked.map((key) => `${file.path}#${key}`);
  });
  const resolved =
    real.length > 0 || wants === undefined ? [] : [...wants.runtime, ...wants.optional, ...wants.development];
  return [...new Set([...locked, ...resolved])].filter((key) => tree.components.has(key));
}

/** A workspace of a lockfile that does not say what workspaces ask for. */
function addOwnEdges(tree: ProjectTree, key: string, asked: readonly string[]): void {
  if ((tree.edges.get(key)?.size ?? 0) === 0) tree.edges.set(key, new Set(asked));
}

function projectComponent(
  directory: string,
  project: ManifestFile | undefined,
  locks: readonly Lock[],
  isProject: boolean,
): FoundComponent | undefined {
  const real = locks.filter(({ isRecord }) => !isRecord);
  const name =
    project?.manifest.name ?? real.find(({ lockfile }) => lockfile.root?.name !== undefined)?.lockfile.root?.name;
  if (name === undefined || name === "") return undefined;
  const stated = real.flatMap(({ found }) => found.components.find(({ key }) => key.endsWith("#")) ?? []);
  const version = project?.manifest.version ?? stated[0]?.version ?? "";
  // A program that was unpacked somewhere is a package of the registry; a project under work is not.
  const isPacked = directory.endsWith("!/package");
  const isUnpacked =
    !isProject && project !== undefined && (isPacked || (!project.manifest.isPrivate && project.manifest.isUsable));
  if (!isProject && (!isUnpacked || version === "")) return undefined;
  const purl = isUnpacked ? attempt(() => npmPackageUrl(name, version)) : undefined;
  const supplier = project?.manifest.supplier;
  const properties = stated.flatMap(({ properties = [] }) => properties);
  return {
    key: `${directory}/#project`,
    kind: "application",
    name,
    version,
    ...(purl !== undefined && { purl }),
    type: "npm",
    scope: "runtime",
    declaredLicences: project === undefined ? (stated[0]?.declaredLicences ?? []) : licencesOf(project),
    ...(supplier !== undefined && { supplier }),
    occurrences: [
      ...real.map(({ file, found }) => found.components[0]?.occurrences[0] ?? occurrenceOf(file, "npm-manifest")),
      ...(project === undefined ? [] : [occurrenceOf(project.file, "npm-manifest")]),
    ],
    properties,
  };
}

/** Installed packages without a project above them that no other package asks for. */
function unasked(tree: ProjectTree): readonly string[] {
  const asked = new Set<string>();
  for (const to of tree.edges.values()) for (const key of to) asked.add(key);
  return [...tree.unlocked].filter((key) => !asked.has(key));
}
