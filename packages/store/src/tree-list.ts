import { checkTreePath, type Digest, sha256, type TreeEntry, treeList } from "@touchmark/core";
import { storeErrors } from "./errors.ts";

const HEADER = "touchmark tree v1\n";
const line = /^(file|executable|symlink|directory) (0|[1-9][0-9]{0,15}) ([0-9a-f]{64}) ([^]+)$/;

/**
 * Reads a canonical file list (core, "touchmark tree v1"), refusing any text that is not the canonical one for its
 * entries, or that has another digest. @throws STORE_TREE_CORRUPT
 */
export function parseTreeList(text: string, digest: Digest): TreeEntry[] {
  if (sha256(text) !== digest || !text.startsWith(HEADER)) {
    throw storeErrors.make("STORE_TREE_CORRUPT", `expected a file list with digest ${digest}, found ${sha256(text)}`);
  }
  const lines = text.slice(HEADER.length).split("\0");
  if (lines.pop() !== "") throw malformed();
  return lines.map((one) => {
    const match = line.exec(one);
    if (match === null) throw malformed();
    const [, kind, size, hex, path] = match as unknown as [string, TreeEntry["kind"], string, string, string];
    return { path: checkTreePath(path), kind, size: Number(size), digest: `sha256:${hex}` };
  });
}

/** The canonical text and the digest of entries. */
export function listOf(entries: readonly TreeEntry[]): { text: string; digest: Digest } {
  const text = treeList(entries);
  return { text, digest: sha256(text) };
}

function malformed(): Error {
  return storeErrors.make("STORE_TREE_CORRUPT", "expected a canonical file list, found a malformed line");
}
