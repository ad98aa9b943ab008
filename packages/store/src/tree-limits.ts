/** Bounds on a tree from an untrusted step. Sizes are apparent, so that a sparse file counts in full. */
export interface TreeLimits {
  /** Most files, links and directories. Default 200,000. @throws STORE_TREE_TOO_MANY */
  readonly maxEntries?: number;
  /** Most bytes of all files. Default 16 GiB. @throws STORE_TREE_TOO_LARGE */
  readonly maxBytes?: number;
  /** Most bytes of one file. Default as `maxBytes`. @throws STORE_TREE_TOO_LARGE */
  readonly maxFileBytes?: number;
  /** Longest path, in bytes of UTF-8. Default 1,024. @throws STORE_TREE_PATH_TOO_LONG */
  readonly maxPathBytes?: number;
  /** Deepest nesting of directories. Default 128. @throws STORE_TREE_PATH_TOO_LONG */
  readonly maxDepth?: number;
}

/** The limits with every default filled in. */
export function treeLimits(limits: TreeLimits = {}): Required<TreeLimits> {
  const maxBytes = limits.maxBytes ?? 16 * 1024 ** 3;
  return {
    maxEntries: limits.maxEntries ?? 200_000,
    maxBytes,
    maxFileBytes: Math.min(limits.maxFileBytes ?? maxBytes, maxBytes),
    maxPathBytes: limits.maxPathBytes ?? 1024,
    maxDepth: limits.maxDepth ?? 128,
  };
}
