import { lockfileErrors } from "./errors.ts";
import type { Members } from "./shape.ts";

/** An entry of `packages` with its place in the tree. */
export interface NpmNode {
  /** Key in `packages`, empty for the project. */
  readonly place: string;
  /** Name under which it is found there, undefined for directories of the project. */
  readonly name: string | undefined;
  readonly entry: Members;
  /** Names that its manifest bundles into its archive. */
  readonly bundles: readonly string[];
}

export type NpmTree = ReadonlyMap<string, NpmNode>;

const deepest = 32;

/** Name under which a place is found, undefined for directories of the project. @throws LOCKFILE_TOO_DEEP */
export function nameAtPlace(place: string): string | undefined {
  const at = place.lastIndexOf("node_modules/");
  if (at < 0 || (at > 0 && place[at - 1] !== "/")) return undefined;
  const name = place.slice(at + 13);
  if (place.split("node_modules/").length > deepest) {
    throw lockfileErrors.make("LOCKFILE_TOO_DEEP", `expected at most ${deepest} levels of node_modules`);
  }
  return name.split("/").length <= (name.startsWith("@") ? 2 : 1) ? name : undefined;
}

/** The directory around a place, undefined above the project. */
function parentOf(place: string): string | undefined {
  if (place === "" || place === "..") return undefined;
  const cut = place.lastIndexOf("/");
  return cut < 0 ? "" : place.slice(0, cut);
}

/**
 * The place of the package that `name` means to the package at `place`: the nearest node_modules upwards, as Node and
 * npm look it up. Undefined when there is none.
 */
export function lookUp(tree: NpmTree, place: string, name: string): string | undefined {
  for (let here: string | undefined = place; here !== undefined; here = parentOf(here)) {
    if (here === "node_modules" || here.endsWith("/node_modules")) continue;
    const candidate = here === "" ? `node_modules/${name}` : `${here}/node_modules/${name}`;
    if (tree.has(candidate)) return candidate;
  }
  return undefined;
}

/**
 * Places that come inside the archive of another package, with the place of that one. The flag `inBundle` alone proves
 * nothing: npm goes by what the outer package's `bundleDependencies` say, and so must who decides what needs a digest.
 */
export function bundledPlaces(
  tree: NpmTree,
  edges: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const bundled = new Map<string, string>();
  for (const { place, name, bundles } of tree.values()) {
    if (name === undefined || bundles.length === 0) continue;
    const open = bundles.map((name) => `${place}/node_modules/${name}`).filter((inner) => tree.has(inner));
    for (let inner = open.pop(); inner !== undefined; inner = open.pop()) {
      if (bundled.has(inner)) continue;
      bundled.set(inner, place);
      // What a bundled package needs and lies beside or below it came with it.
      for (const next of edges.get(inner) ?? []) if (next.startsWith(`${place}/node_modules/`)) open.push(next);
    }
  }
  return bundled;
}
