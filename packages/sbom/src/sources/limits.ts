/** Bounds of reading a source. */
export interface TreeLimits {
  /** Entries of the source itself. */
  readonly entries: number;
  /** Parts of a path. */
  readonly depth: number;
  /** Bytes that are put aside on disk, from layers and archives. */
  readonly scratchBytes: number;
  /** Bytes of small files that are kept in memory, from layers and archives. */
  readonly memoryBytes: number;
  /** Archives within archives. */
  readonly archiveDepth: number;
  /** Entries of all archives together. */
  readonly archiveEntries: number;
  /** Bytes of all archives together, unpacked. */
  readonly archiveBytes: number;
}

/** Generous for what people build, and bounded. */
export const defaultTreeLimits: TreeLimits = {
  entries: 5_000_000,
  depth: 256,
  scratchBytes: 16 * 2 ** 30,
  memoryBytes: 24 * 2 ** 20,
  archiveDepth: 8,
  archiveEntries: 1_000_000,
  archiveBytes: 8 * 2 ** 30,
};
