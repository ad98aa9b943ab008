/** Where an installed package lies. */
export interface Place {
  /** Its directory: `app/node_modules/@scope/name`. */
  readonly directory: string;
  /** Name by which Node finds it there. */
  readonly name: string;
  /** The directory whose node_modules, or whose Debian tree, it belongs to: `app`, empty for the root of the tree. */
  readonly project: string;
  /** False when another package's own files stand between: its tests, its examples. */
  readonly isChained: boolean;
}

/** Debian and its children install Node packages outside any node_modules, where their Node looks as well. */
const debianTree = /^(usr\/(?:share|lib|lib\/[a-z0-9_]+-linux-gnu[a-z0-9_]*)\/nodejs)\//;

const chain = /^\/?(?:node_modules\/(?:\.pnpm\/[^/]+\/node_modules\/)?(?:@[^/]+\/)?[^/]+\/)*$/;

/** The place of a package by the path of its package.json; undefined when no installed package begins there. */
export function placeOf(path: string): Place | undefined {
  if (!path.endsWith("/package.json")) return undefined;
  const directory = path.slice(0, -"/package.json".length);
  const at = `/${directory}`.lastIndexOf("/node_modules/");
  const debian = at < 0 ? debianTree.exec(path)?.[1] : undefined;
  const begin = at < 0 ? (debian?.length ?? -1) + 1 : at + "node_modules/".length;
  if (begin === 0) return undefined;
  const name = directory.slice(begin);
  const isName = name !== "" && !name.startsWith(".") && name.split("/").length === (name.startsWith("@") ? 2 : 1);
  if (!isName) return undefined;
  const project = debian ?? projectOf(directory);
  const below = debian === undefined ? directory.slice(project === "" ? 0 : project.length + 1) : "";
  return { directory, name, project, isChained: chain.test(`${below}/`) };
}

/** Debian's trees that hold some of these packages, in the order in which its Node looks. */
export function debianTrees(packages: Iterable<{ readonly place?: Place }>): readonly string[] {
  const found = new Set<string>();
  for (const { place } of packages)
    if (place !== undefined && debianTree.test(`${place.project}/`)) found.add(place.project);
  return [...found].sort().reverse();
}

/** The directory above the outermost node_modules. */
export function projectOf(directory: string): string {
  const at = `/${directory}/`.indexOf("/node_modules/");
  return at <= 0 ? (at < 0 ? directory : "") : directory.slice(0, at - 1);
}

/** Directories of installed packages, each with its packages by name. */
export type Modules = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Packages by the directory whose node_modules holds them, or by Debian's tree. */
export function modulesOf(packages: Iterable<{ readonly place?: Place }>): Modules {
  const modules = new Map<string, Map<string, string>>();
  for (const { place } of packages) {
    if (place === undefined) continue;
    const { directory, name } = place;
    const holder = directory.slice(0, Math.max(0, directory.length - name.length - 1));
    const base = holder === "node_modules" ? "" : holder.replace(/\/node_modules$/, "");
    const names = modules.get(base) ?? new Map<string, string>();
    modules.set(base, names.set(name, directory));
  }
  return modules;
}

/** Where a module in `directory` finds others: every node_modules upwards, nearest first, as Node looks them up. */
export function searchPath(
  modules: Modules,
  directory: string,
  debianTrees: readonly string[],
): readonly ReadonlyMap<string, string>[] {
  const path: ReadonlyMap<string, string>[] = [];
  for (let here: string | undefined = directory; here !== undefined; here = parentOf(here)) {
    const names = here === "node_modules" || here.endsWith("/node_modules") ? undefined : modules.get(here);
    if (names !== undefined) path.push(names);
  }
  if (!directory.startsWith("usr/")) return path;
  return [...path, ...debianTrees.flatMap((tree) => modules.get(tree) ?? [])];
}

function parentOf(directory: string): string | undefined {
  if (directory === "") return undefined;
  const cut = directory.lastIndexOf("/");
  return cut < 0 ? "" : directory.slice(0, cut);
}
