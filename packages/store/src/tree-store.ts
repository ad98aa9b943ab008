import type { Digest, TreeEntry } from "@touchmark/core";
import type { DirectoryOptions } from "./directory.ts";
import type { TarStream, TreeTarOptions } from "./tree-tar.ts";

/** How to take a directory in. */
export interface IngestOptions extends DirectoryOptions {
  /** Modification time of everything in the stored tree, in seconds of the epoch: SOURCE_DATE_EPOCH. Default 0. */
  readonly epoch?: number;
  /** `move` takes the directory itself, which is then gone; `copy` leaves it alone. Default `move`. */
  readonly mode?: "move" | "copy";
  /** Owner of the stored files, when running as root. Default: this process's user. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Whether the tree survives a power cut. Costs an fsync a file (about a millisecond). Default false. */
  readonly durable?: boolean;
}

/** A directory taken in. */
export interface IngestedTree {
  /** `core.treeDigest` of the entries. */
  readonly digest: Digest;
  /** In canonical order. */
  readonly entries: readonly TreeEntry[];
  /** Apparent bytes of all files. */
  readonly bytes: number;
  /** True when the same tree was stored already. */
  readonly known: boolean;
  /** Links that lead out of the tree; empty unless `linksOutside: "keep"`. To be recorded. */
  readonly linksOutside: readonly string[];
}

/** Whole file trees by digest: outputs of steps, and sources (SPEC T). */
export interface TreeStore {
  /**
   * Takes in a directory that an untrusted step made: refuses what no tree may hold, makes modes (0644, 0755), owner
   * and times canonical, hashes, and stores it once however often it comes. Nothing is altered before all names,
   * kinds, links and sizes were checked.
   * @throws STORE_TREE_SPECIAL_FILE | STORE_TREE_SETUID | STORE_TREE_HARD_LINK | STORE_TREE_LINK_ESCAPES |
   * STORE_TREE_NAME_INVALID | STORE_TREE_PATH_TOO_LONG | STORE_TREE_TOO_MANY | STORE_TREE_TOO_LARGE |
   * STORE_TREE_CHANGED | STORE_DISK_FULL
   */
  ingest(directory: string, options?: IngestOptions): Promise<IngestedTree>;
  /** Directory with the tree's files; for mounting read-only. It may not exist, and is not verified. */
  root(digest: Digest): string;
  /** True when the tree is there. Says nothing about its files. */
  has(digest: Digest): Promise<boolean>;
  /** As `has`, and keeps a prune from deleting the tree for the time being. */
  use(digest: Digest): Promise<boolean>;
  /** What the tree holds, by its stored list, whose own digest is checked. @throws STORE_TREE_MISSING | STORE_TREE_CORRUPT */
  entries(digest: Digest): Promise<TreeEntry[]>;
  /** Reads and hashes every file again. A damaged tree is quarantined. @throws STORE_TREE_MISSING | STORE_TREE_CORRUPT */
  verify(digest: Digest): Promise<void>;
  /**
   * The tree as a tar archive that depends on nothing but its digest and the options; files are verified as they are
   * read. @throws STORE_TREE_MISSING | STORE_TREE_CORRUPT
   */
  toTar(digest: Digest, options?: TreeTarOptions): TarStream;
  /** Deletes a tree; absence is success. */
  delete(digest: Digest): Promise<void>;
  /** Every tree, in order of digests. `usedAt` in milliseconds of the epoch. */
  list(): AsyncIterable<{ readonly digest: Digest; readonly usedAt: number }>;
  /** Apparent bytes of a tree's files, by its list. @throws STORE_TREE_MISSING | STORE_TREE_CORRUPT */
  size(digest: Digest): Promise<number>;
  /** Deletes a tree unless it was used since the given time; answers the bytes freed. For `prune`. */
  deleteUnused(digest: Digest, since: number): Promise<number>;
}
