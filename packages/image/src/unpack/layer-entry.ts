import type { Digest } from "@touchmark/core";

/** What an entry of a layer is. Sockets have no form in an archive. */
export type LayerEntryKind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character-device"
  | "block-device"
  | "fifo";

/** A run of real bytes in a sparse file; all else is a hole. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

/** One entry of a layer as its headers say, in one spelling, whatever dialect they speak. */
export interface LayerHeader {
  /** Relative, without `.` and `..` parts or a final slash; empty for the root. */
  readonly path: string;
  readonly kind: LayerEntryKind;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  /** Seconds of the epoch, with a fraction where the layer has one; may be negative. */
  readonly mtime: number;
  /** Apparent bytes of a file, holes included; 0 for everything else. */
  readonly size: number;
  /** Of a symbolic link as written, of a hard link in the spelling of paths. */
  readonly target?: string;
  /** Extended attributes by name. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Where a sparse file has bytes, in order. */
  readonly sparse?: readonly SparsePiece[];
  readonly dialect: "old" | "ustar" | "pax" | "gnu";
  /** What the entry takes away from the layers below, if it is a whiteout (image-spec 1.1, layer.md). */
  readonly whiteout?: Whiteout;
}

/** `entry`: what lies at `path`; `opaque`: everything in the directory `path`. Of lower layers only. */
export interface Whiteout {
  readonly kind: "entry" | "opaque";
  readonly path: string;
}

/** An entry with its content. The content must be read before the next entry is asked for; unread, it is skipped. */
export interface LayerEntry extends LayerHeader {
  /** Bytes of a file, holes as zeros. Nothing for everything else. May be called once. */
  content(): AsyncIterable<Uint8Array>;
}

/** What is known of a layer once it has been read to its end. */
export interface LayerFacts {
  /** Digest of the unpacked archive. */
  readonly diffId: Digest;
  /** Bytes of the unpacked archive. */
  readonly bytes: number;
  readonly entries: number;
}
