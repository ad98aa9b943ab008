import type { Digest } from "@touchmark/core";

/** What an entry of a layer or archive is; the words of OCI layers. */
export type TreeEntryKind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character-device"
  | "block-device"
  | "fifo";

/** An entry of a layer as its reader gives it. The content must be read before the next entry is asked for. */
export interface LayerEntryLike {
  /** Relative, without `.` and `..` parts or a final slash; empty for the root. */
  readonly path: string;
  readonly kind: TreeEntryKind;
  readonly mode: number;
  readonly size: number;
  readonly target?: string;
  /** What it takes away from the layers below: an entry, or everything in a directory. */
  readonly whiteout?: { readonly kind: "entry" | "opaque"; readonly path: string };
  content(): AsyncIterable<Uint8Array>;
}

/** A layer of an image, unpacked as it is read. */
export interface TreeLayer {
  readonly diffId: Digest;
  /** Asked for once; a second time only where a hard link leads to a file that nobody wanted by its first name. */
  entries(): AsyncIterable<LayerEntryLike>;
}
