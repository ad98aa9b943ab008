import type { Digest } from "@touchmark/core";
import type { TreeStore } from "@touchmark/store";

/** What a layer is made of. Two parts that put different things at one path are refused; directories join. */
export type LayerSource = readonly LayerPart[];

export type LayerPart = DirectoryPart | TreePart | FilePart | SymlinkPart | EmptyDirectoryPart | WhiteoutPart;

/** Who owns files in a layer, and what may be done with them. */
export interface LayerModes {
  /** Numeric owner; `keep` takes that of the files on disk. Default 0 and 0. */
  readonly owner?: { readonly uid: number; readonly gid: number } | "keep";
  /** Permission bits; `keep` takes those on disk. Default 0644, 0755 for what its owner can execute, 0755 for directories. */
  readonly modes?: { readonly file?: number; readonly executable?: number; readonly directory?: number } | "keep";
  /** Extended attributes of every file. Only `user.` ones: files on disk are asked for none. */
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** Files of a directory on disk. */
export interface DirectoryPart extends LayerModes {
  readonly kind: "directory";
  readonly directory: string;
  /** Path below it, of a directory or a file. Default everything. */
  readonly from?: string;
  /** Absolute path in the image: of the directory that takes the files, or of the file when `from` is one. */
  readonly to: string;
  /** `clamp` keeps times before the epoch. Default: everything has the epoch's. */
  readonly times?: "epoch" | "clamp";
  /** `keep` writes names of one file as hard links; default is a copy each, so that layout on disk does not matter. */
  readonly hardLinks?: "copy" | "keep";
  /** Paths below `from` that are left out, with what is below them. */
  readonly without?: readonly string[];
}

/** Files of a stored tree: the output of a step. They are verified as they are read. */
export interface TreePart extends LayerModes {
  readonly kind: "tree";
  readonly store: Pick<TreeStore, "entries" | "root">;
  readonly tree: Digest;
  readonly from?: string;
  readonly to: string;
  readonly without?: readonly string[];
}

/** One file with given content. */
export interface FilePart extends LayerModes {
  readonly kind: "file";
  readonly to: string;
  readonly content: Uint8Array;
  /** Permission bits. Default 0644. */
  readonly mode?: number;
}

export interface SymlinkPart extends LayerModes {
  readonly kind: "symlink";
  readonly to: string;
  readonly target: string;
}

/** A directory for its own sake: `/tmp` with mode 1777, a home. */
export interface EmptyDirectoryPart extends LayerModes {
  readonly kind: "empty-directory";
  readonly to: string;
  /** Permission bits, with the sticky one. Default 0755. */
  readonly mode?: number;
}

/** Takes away what lower layers have at a path; `opaque`: everything in the directory, which stays. */
export interface WhiteoutPart {
  readonly kind: "whiteout" | "opaque";
  readonly to: string;
}

/** Permissions and owner of a directory that lower layers have: it is repeated as it is. */
export interface BaseDirectory {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
}

/** What lower layers have at a path, as far as a new layer must know it. Undefined: nothing. */
export type BaseView = (path: string) => BaseDirectory | "other" | undefined;
