import { createHash } from "node:crypto";
import { type Digest, digestHex, sha256 } from "./digest.ts";
import { coreErrors } from "./errors.ts";

/** One entry of a file tree. Directories count only when empty; everything else follows from paths. */
export interface TreeEntry {
  /** Relative path with `/`, normalised, UTF-8. */
  readonly path: string;
  readonly kind: "file" | "executable" | "symlink" | "directory";
  /** Bytes of a file; length of a link's target; 0 for a directory. */
  readonly size: number;
  /** Digest of a file's content, or of a link's target; of nothing for a directory. */
  readonly digest: Digest;
}

const emptyDigest = sha256("");

/** An empty directory's entry. */
export function directoryEntry(path: string): TreeEntry {
  return { path, kind: "directory", size: 0, digest: emptyDigest };
}

/** Refuses a path that could leave its tree or has two spellings. @throws TREE_PATH_INVALID */
export function checkTreePath(path: string): string {
  const bad =
    path === "" || path.includes("\0") || path.split("/").some((part) => part === "" || part === "." || part === "..");
  if (bad)
    throw coreErrors.make(
      "TREE_PATH_INVALID",
      `expected a normalised relative path, found ${JSON.stringify(path.slice(0, 200))}`,
    );
  return path;
}

/** Orders entries by the bytes of their paths, which is the canonical order. */
export function compareTreePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * The canonical file list, "touchmark tree v1": a header line, then for each entry in byte order of paths
 * `<kind> <size> <hex digest> <path>\0`. Its SHA-256 names the tree.
 */
export function treeList(entries: readonly TreeEntry[]): string {
  return [...treeLines(entries)].join("");
}

/** Digest of the canonical file list. */
export function treeDigest(entries: readonly TreeEntry[]): Digest {
  const h = createHash("sha256");
  for (const line of treeLines(entries)) h.update(line);
  return `sha256:${h.digest("hex")}`;
}

function* treeLines(entries: readonly TreeEntry[]): Generator<string> {
  yield "touchmark tree v1\n";
  const sorted = [...entries].sort((a, b) => compareTreePaths(a.path, b.path));
  let previous: string | undefined;
  for (const entry of sorted) {
    checkTreePath(entry.path);
    if (entry.path === previous)
      throw coreErrors.make("TREE_PATH_INVALID", `the path ${JSON.stringify(entry.path)} stands twice`);
    previous = entry.path;
    yield `${entry.kind} ${entry.size} ${digestHex(entry.digest)} ${entry.path}\0`;
  }
}
