import { lstatSync } from "node:fs";
import { directoryEntry, encodeHex, sha256, type TreeEntry } from "@touchmark/core";
import { storeErrors } from "./errors.ts";
import type { HashJob, HashOutcome } from "./hash-files.ts";
import { hashAll } from "./hash-threads.ts";
import { guarded } from "./system-failure.ts";
import { type TreeLimits, treeLimits } from "./tree-limits.ts";
import { linksOutside } from "./tree-links.ts";
import { shown, type TreeWalk, walkTree } from "./tree-walk.ts";

/** How to hash a directory. */
export interface DirectoryOptions {
  readonly limits?: TreeLimits;
  /** Whether links may lead out of the directory. Nothing here ever follows one. Default `refuse`. */
  readonly linksOutside?: "refuse" | "keep";
  /** Use of worker threads. Default `auto`: from 2,000 files. */
  readonly threads?: "auto" | "never" | "always";
}

/**
 * The entries of a directory, hashed, in no particular order; `treeDigest` names them. The directory is not altered.
 * @throws STORE_TREE_… for what a tree cannot hold, as `TreeStore.ingest`
 */
export function hashDirectory(directory: string, options: DirectoryOptions = {}): Promise<TreeEntry[]> {
  return guarded(`hashing ${directory}`, async () => {
    const limits = treeLimits(options.limits);
    checkDirectory(directory);
    const walk = walkTree(directory, { limits, inspect: false });
    if (options.linksOutside !== "keep") refuseLinksOutside(walk);
    const entries = await hashWalk(directory, walk, { maxFileBytes: limits.maxFileBytes, normalise: null }, options);
    const bytes = entries.reduce((sum, entry) => sum + (entry.kind === "symlink" ? 0 : entry.size), 0);
    if (bytes > limits.maxBytes) {
      throw storeErrors.make("STORE_TREE_TOO_LARGE", `expected at most ${limits.maxBytes} bytes, found ${bytes}`);
    }
    return entries;
  });
}

/** Refuses a top that is a link or no directory. @throws STORE_TREE_SPECIAL_FILE */
export function checkDirectory(directory: string): void {
  if (!lstatSync(directory).isDirectory()) {
    throw storeErrors.make("STORE_TREE_SPECIAL_FILE", `expected a directory at ${directory}`);
  }
}

/** @throws STORE_TREE_LINK_ESCAPES */
export function refuseLinksOutside(walk: TreeWalk): void {
  const [first] = linksOutside(walk);
  if (first === undefined) return;
  const target = walk.links.get(first) ?? "";
  throw storeErrors.make(
    "STORE_TREE_LINK_ESCAPES",
    `expected links that stay in the tree, found ${shown(first)} leading to ${shown(target)}`,
  );
}

/** Hashes what a walk found. */
export async function hashWalk(
  directory: string,
  walk: TreeWalk,
  job: Omit<HashJob, "paths" | "base">,
  options: DirectoryOptions,
): Promise<TreeEntry[]> {
  const outcomes = await hashAll(walk.files, { base: directory, ...job }, options.threads);
  const entries: TreeEntry[] = [];
  for (const outcome of outcomes) {
    const start = entries.length;
    if (outcome.failure !== null) throw failureOf(outcome.failure, walk.files[start + outcome.failure.index] ?? "");
    const hex = encodeHex(outcome.digests);
    for (let i = 0; i < outcome.sizes.length; i++) {
      entries.push({
        path: walk.files[start + i] as string,
        kind: outcome.executable[i] === 1 ? "executable" : "file",
        size: outcome.sizes[i] as number,
        digest: `sha256:${hex.slice(i * 64, i * 64 + 64)}`,
      });
    }
  }
  for (const [path, target] of walk.links) {
    entries.push({ path, kind: "symlink", size: Buffer.byteLength(target), digest: sha256(target) });
  }
  for (const path of walk.emptyDirectories) entries.push(directoryEntry(path));
  return entries;
}

const failureCodes = {
  special: "STORE_TREE_SPECIAL_FILE",
  setuid: "STORE_TREE_SETUID",
  changed: "STORE_TREE_CHANGED",
  "too-large": "STORE_TREE_TOO_LARGE",
} as const;

function failureOf(failure: NonNullable<HashOutcome["failure"]>, path: string): Error {
  if (failure.kind === "system") return Object.assign(new Error(failure.message), { code: failure.code });
  return storeErrors.make(failureCodes[failure.kind], `${failure.message} at ${shown(path)}`);
}
