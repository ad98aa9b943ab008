import type { FactoryError } from "@touchmark/core";

/** Limits against hostile lockfiles. */
export const lockfileLimits = {
  bytes: 64 * 1024 * 1024,
  /** The YAML reader keeps a node for each value, with its place. */
  yamlBytes: 8 * 1024 * 1024,
  tomlBytes: 16 * 1024 * 1024,
  packages: 200_000,
  /** Edges and files of all packages together. */
  edges: 2_000_000,
  depth: 64,
} as const;

/** What a reader may ask for beside the lockfile itself. */
export interface LockfileOptions {
  /**
   * A file of the same revision, by its path relative to the lockfile's directory, `/` between segments (`package.json`,
   * `go.mod`, `base.txt`); undefined when there is none. Never asked for a path that leaves that directory.
   */
  readonly companion?: (path: string) => Uint8Array | string | undefined;
  /**
   * Told of each entry that is wrong, and of older versions read besides, where the caller would rather have what a
   * lockfile holds than refuse it: an inventory, never a door. Without it, what is wrong is thrown.
   */
  readonly tolerate?: (refusal: FactoryError) => void;
}

/** One lockfile's text, with what its reader needs. */
export interface LockfileText extends LockfileOptions {
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  readonly text: string;
}
