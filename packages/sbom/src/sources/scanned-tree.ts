import type { Digest } from "@touchmark/core";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { FileFacts } from "../catalogue/cataloger.ts";
import type { TreeLimits } from "./limits.ts";
import type { StoredFile } from "./stored-file.ts";

/** A tree of files that can be catalogued, wherever it lies. */
export interface ScannedTree {
  readonly kind: "directory" | "image" | "archive" | "file";
  /**
   * Goes over everything once, and keeps what is claimed.
   * @throws SBOM_SOURCE_MISSING | SBOM_SOURCE_KIND | SBOM_SOURCE_TOO_MANY_FILES
   */
  collect(request: CollectRequest): Promise<CollectedTree>;
}

/** What is to be kept of a tree. */
export interface CollectRequest {
  /** Numbers of those who need the content of a file; empty when nobody does. */
  claim(facts: FileFacts): readonly number[];
  readonly limits: TreeLimits;
  readonly signal?: AbortSignal;
  /** Called now and then with the number of entries that were seen. */
  onProgress?(seen: number): void;
}

/** A file that somebody claimed. */
export interface ClaimedFile {
  readonly file: StoredFile;
  readonly claims: readonly number[];
}

/** A file that can be run or loaded: by its first bytes, not by its name. */
export interface ExecutableFile {
  readonly path: string;
  readonly layer?: Digest;
  digest(): Digest;
}

/** A claimed or executable file of a layer that a later layer took away. */
export interface DeletedFile {
  readonly path: string;
  readonly layer: Digest;
  readonly by: Digest;
}

/** What a tree gave. */
export interface CollectedTree {
  /** In byte order of paths. */
  readonly files: readonly ClaimedFile[];
  /** In byte order of paths; of the tree itself, not of archives in it. */
  readonly executables: readonly ExecutableFile[];
  readonly deleted: readonly DeletedFile[];
  /** DiffIDs, bottom first. */
  readonly layers: readonly Digest[];
  readonly losses: readonly ScanLoss[];
  /** Regular files of the tree and of archives in it. */
  readonly seen: number;
  /** True when there is an entry of any kind. */
  exists(path: string): boolean;
  /** The path with links in its directories followed. */
  resolve(path: string): string;
  /** The file of the tree itself that a path belongs to: of what lies in an archive, the outermost archive. */
  container(path: string): string;
  /** Ends access to all content, and frees the scratch space. */
  close(): void;
}
