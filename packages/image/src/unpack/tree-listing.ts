import type { ImageTree } from "./image-tree.ts";
import { type Original, pathOf, type TreeNode } from "./tree-node.ts";

/** One thing in an unpacked image. */
export interface ListedEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Permission bits on disk; 0777 for a link. */
  readonly mode: number;
  /** Seconds of the epoch. */
  readonly mtime: number;
  /** Bytes of a file; 0 for everything else. */
  readonly size: number;
  /** SHA-256 of a file's content, in hexadecimal. */
  readonly sha256?: string;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Owner and mode in the layer. */
  readonly original: Original;
}

/** Everything in an unpacked image, in byte order of paths; the root comes first, with an empty path. */
export interface TreeListing {
  readonly entries: readonly ListedEntry[];
  readonly files: number;
  /** Apparent bytes of all files, each counted once however many names it has. */
  readonly bytes: number;
}

export function listTree(tree: ImageTree): TreeListing {
  const counted = new Set<object>();
  let files = 0;
  let bytes = 0;
  for (const node of tree.nodes()) {
    if (node.kind !== "file") continue;
    files++;
    if (counted.has(node.facts)) continue;
    counted.add(node.facts);
    bytes += node.facts.size;
  }
  let entries: readonly ListedEntry[] | undefined;
  return {
    files,
    bytes,
    /** Made when somebody asks: for a large image it takes as much memory as the tree. */
    get entries() {
      entries ??= entriesOf(tree);
      return entries;
    },
  };
}

function entriesOf(tree: ImageTree): ListedEntry[] {
  const entries: ListedEntry[] = [entryOf(tree.root, "")];
  for (const node of tree.nodes()) entries.push(entryOf(node, pathOf(node)));
  return sortEntries(entries);
}

function entryOf(node: TreeNode, path: string): ListedEntry {
  if (node.kind === "file") {
    const { mode, mtime, size, sha256, original } = node.facts;
    return { path, kind: "file", mode, mtime, size, sha256, original };
  }
  const { kind, mtime, original } = node;
  if (kind === "symlink") return { path, kind, mode: 0o777, mtime, size: 0, target: node.target, original };
  return { path, kind, mode: node.mode, mtime, size: 0, original };
}

function sortEntries(entries: ListedEntry[]): ListedEntry[] {
  // Below the surrogates, the order of UTF-16 code units is the order of UTF-8 bytes.
  if (entries.some(({ path }) => /[\ud800-\uffff]/.test(path))) {
    return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
