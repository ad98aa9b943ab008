import { compareTreePaths } from "@touchmark/core";
import { imageErrors } from "../errors.ts";
import type { ItemRules, LayerItem } from "./layer-item.ts";
import { itemsOf } from "./layer-items.ts";
import type { BaseView, LayerSource } from "./layer-part.ts";

/** Most entries of one layer. */
const MAX_ENTRIES = 2_000_000;

/**
 * The entries of a layer in their canonical order: byte order of paths, every directory before what is in it, deletions
 * before their siblings. Directories above the files are there too, as lower layers have them, else 0755 of root.
 * @throws IMAGE_LAYER_CONFLICT | IMAGE_LAYER_TOO_LARGE | as `itemsOf`
 */
export async function layerList(source: LayerSource, rules: ItemRules, base: BaseView): Promise<readonly LayerItem[]> {
  const byPath = new Map<string, LayerItem>();
  for (const part of source) {
    for (const item of await itemsOf(part, rules)) add(byPath, item);
  }
  addParents(byPath, rules.epoch, base);
  const sorted = [...byPath.values()].sort((a, b) => compareTreePaths(sortKey(a), sortKey(b)));
  return linked(sorted);
}

function add(byPath: Map<string, LayerItem>, item: LayerItem): void {
  const before = byPath.get(item.path);
  if (before === undefined) {
    if (byPath.size >= MAX_ENTRIES) {
      throw imageErrors.make("IMAGE_LAYER_TOO_LARGE", `expected at most ${MAX_ENTRIES} entries in a layer`);
    }
    byPath.set(item.path, item);
  } else if (before.kind === "directory" && item.kind === "directory") {
    const isSame = before.mode === item.mode && before.uid === item.uid && before.gid === item.gid;
    if (!isSame) throw conflict(item.path, "two owners or modes of one directory");
  } else throw conflict(item.path, `a ${before.kind} and a ${item.kind}`);
}

function addParents(byPath: Map<string, LayerItem>, epoch: number, base: BaseView): void {
  for (const path of [...byPath.keys()]) {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const parent = path.slice(0, cut);
      const there = byPath.get(parent);
      if (there?.kind === "directory") break;
      if (there !== undefined) throw conflict(parent, `a ${there.kind}, and files below it`);
      const below = base(parent);
      // Writing a directory over a link would cut off all that is behind it: /lib of a merged /usr, say.
      if (below === "other") {
        throw imageErrors.make(
          "IMAGE_LAYER_CONFLICT",
          `expected a directory /${parent} in the base, found a link or a file; /${path} cannot be below it`,
          { hint: "Name the path that the link leads to: /usr/lib instead of /lib." },
        );
      }
      const made = below ?? { mode: 0o755, uid: 0, gid: 0, mtime: epoch };
      byPath.set(parent, { path: parent, kind: "directory", size: 0, ...made });
    }
  }
}

function sortKey(item: LayerItem): string {
  if (item.isWhiteout !== true) return item.path;
  const cut = item.path.lastIndexOf("/") + 1;
  return `${item.path.slice(0, cut)}\0${item.path.slice(cut)}`;
}

/** Gives every further name of one file as a link to its first. */
function linked(sorted: readonly LayerItem[]): readonly LayerItem[] {
  if (!sorted.some(({ inode }) => inode !== undefined)) return sorted;
  const first = new Map<string, string>();
  return sorted.map((item): LayerItem => {
    if (item.inode === undefined) return item;
    const target = first.get(item.inode);
    if (target === undefined) {
      first.set(item.inode, item.path);
      return item;
    }
    const { path, mode, uid, gid, mtime } = item;
    return { path, mode, uid, gid, mtime, kind: "hard-link", size: 0, target };
  });
}

function conflict(path: string, found: string): Error {
  return imageErrors.make("IMAGE_LAYER_CONFLICT", `expected one thing at /${path} of the layer, found ${found}`);
}
