import { sourceErrors } from "./errors.ts";
import { type GitTreeEntry, parseTree, submoduleMode, treeMode } from "./object.ts";
import type { ObjectReader } from "./object-reader.ts";
import { checkName, collisionKey, type SourceLimits } from "./path-rule.ts";

/** A file, link or submodule of a commit's tree, with its path from the root. */
export interface ListedEntry {
  readonly path: string;
  readonly mode: number;
  readonly id: string;
}

/** Everything that a tree holds, checked. */
export interface TreeListing {
  readonly entries: ListedEntry[];
  /** Paths of all directories, parents before children. */
  readonly directories: string[];
  /** Directories that hold nothing: git makes none, but a tree can name them. */
  readonly emptyDirectories: string[];
}

const treeLimitBytes = 64 * 2 ** 20;

/**
 * Lists a tree, level by level, checking every name before anything is written. Trees that occur several times are
 * read once, and counted each time: a tree that expands to billions of paths stops at the limit.
 */
export async function listTree(reader: ObjectReader, root: string, limits: SourceLimits): Promise<TreeListing> {
  const listing: TreeListing = { entries: [], directories: [], emptyDirectories: [] };
  const known = new Map<string, GitTreeEntry[]>();
  let level: { path: string; id: string }[] = [{ path: "", id: root }];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    const ids = [...new Set(level.map((tree) => tree.id))].filter((id) => !known.has(id));
    const objects = await reader.readAll(ids, treeLimitBytes);
    for (const [i, id] of ids.entries()) {
      const object = objects[i];
      const where = level.find((tree) => tree.id === id)?.path ?? "";
      if (object?.type !== "tree") {
        throw sourceErrors.make(
          "SOURCE_TREE_MALFORMED",
          `expected a tree at ${JSON.stringify(where)}, found a ${object?.type}`,
        );
      }
      const entries = parseTree(object.bytes, reader.format, where);
      checkDirectory(entries, where);
      known.set(id, entries);
    }
    const next: typeof level = [];
    for (const tree of level) {
      const entries = known.get(tree.id) ?? [];
      if (entries.length === 0 && tree.path !== "") listing.emptyDirectories.push(tree.path);
      count += entries.length;
      if (count > limits.entries) {
        throw sourceErrors.make("SOURCE_TOO_MANY_FILES", `expected at most ${limits.entries} entries, found more`);
      }
      for (const entry of entries) {
        const path = tree.path === "" ? entry.name : `${tree.path}/${entry.name}`;
        if (path.length * 3 > limits.pathBytes && Buffer.byteLength(path) > limits.pathBytes)
          throw tooDeep(path, limits);
        if (entry.mode === treeMode) {
          if (depth + 1 > limits.depth) throw tooDeep(path, limits);
          listing.directories.push(path);
          next.push({ path, id: entry.id });
        } else listing.entries.push({ path, mode: entry.mode, id: entry.id });
      }
    }
    level = next;
  }
  return listing;
}

function tooDeep(path: string, limits: SourceLimits) {
  const shown = JSON.stringify(`…${path.slice(-80)}`);
  return sourceErrors.make(
    "SOURCE_TOO_DEEP",
    `expected paths of at most ${limits.pathBytes} bytes and ${limits.depth} directories, found ${shown}`,
  );
}

function checkDirectory(entries: readonly GitTreeEntry[], where: string): void {
  const seen = new Map<string, string>();
  for (const { name, mode } of entries) {
    const path = where === "" ? name : `${where}/${name}`;
    checkName(name, path);
    if (/^\.gitmodules$/i.test(name) && where === "" && (mode === treeMode || mode === submoduleMode)) {
      throw sourceErrors.make("SOURCE_SUBMODULE_UNSAFE", "expected .gitmodules to be a file");
    }
    const key = collisionKey(name);
    const other = seen.get(key);
    if (other !== undefined) {
      throw sourceErrors.make(
        "SOURCE_PATH_COLLISION",
        `expected names that differ in more than case or Unicode form in ${JSON.stringify(where)}, found ${JSON.stringify(other)} and ${JSON.stringify(name)}`,
      );
    }
    seen.set(key, name);
  }
}
