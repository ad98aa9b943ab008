import type { Clock, Digest } from "@touchmark/core";
import type { OciReader, Platform } from "@touchmark/formats/oci";
import type { Rootfs, RootfsVerification } from "../rootfs.ts";
import type { Owner } from "../unpack/tree-disk.ts";
import type { UnpackOptions } from "../unpack/unpack-image.ts";
import { DirectoryRootfsStore } from "./directory-rootfs-store.ts";

/** Images unpacked once, read-only, shared by steps (SPEC X8 to X10). */
export interface RootfsStore {
  /**
   * The image's files, unpacked if they are not yet; once, however many processes ask. It stays until it is released or
   * this process ends. Nothing is verified that was there already: `verify` does.
   * @throws UNPACK_*, OCI_*, errors of the reader, STORE_DISK_FULL, ROOTFS_CHANGED when its record was altered
   */
  ensure(reader: OciReader, reference: string, platform: Platform, options?: EnsureOptions): Promise<LeasedRootfs>;
  /**
   * Compares what is on disk with what was unpacked. A damaged image is set aside, so that the next `ensure` unpacks it
   * anew. @throws ROOTFS_CHANGED with the path | ROOTFS_MISSING
   */
  verify(image: Digest, how: RootfsVerification): Promise<void>;
  /**
   * Reads the layers again, and compares what they would unpack to with the listing: whoever altered listing, record and
   * files together is found out. @throws ROOTFS_NOT_DERIVED | ROOTFS_MISSING and what `ensure` throws
   */
  derive(reader: OciReader, image: Digest, platform: Platform): Promise<void>;
  /** Every unpacked image, in order of digests. */
  list(): Promise<readonly StoredRootfs[]>;
  /** Deletes what was not used for long, then the least recently used until the rest is small enough; nothing in use. */
  prune(options: RootfsPruneOptions): Promise<RootfsPruneReport>;
}

export type EnsureOptions = Pick<UnpackOptions, "onLayer" | "signal">;

/** An unpacked image that cannot go while it is held. */
export interface LeasedRootfs extends Rootfs {
  /** Lets a prune take it. Twice is harmless; the end of the process does it as well. */
  release(): void;
}

export interface StoredRootfs {
  readonly image: Digest;
  readonly platform: Platform;
  readonly listing: Digest;
  readonly files: number;
  readonly bytes: number;
  /** When it was last asked for. */
  readonly usedAt: Date;
}

export interface RootfsPruneOptions {
  readonly maxAgeSeconds?: number;
  /** Apparent bytes of all unpacked images. */
  readonly maxBytes?: number;
  readonly dryRun?: boolean;
}

export interface RootfsPruneReport {
  readonly dryRun: boolean;
  readonly bytesBefore: number;
  readonly freedBytes: number;
  readonly deleted: readonly Digest[];
  /** What should have gone and is in use. */
  readonly inUse: readonly Digest[];
  /** Damaged copies that were old enough to go. */
  readonly quarantined: number;
}

export interface RootfsStoreOptions {
  /** `rootfs` of a home. Made if absent; private. */
  readonly directory: string;
  readonly clock: Clock;
  /** Whose the files are to be: the user that steps run as. Default: whoever runs this. */
  readonly owner?: Owner;
  readonly limits?: UnpackOptions["limits"];
}

/** Opens the store of unpacked images. What killed processes left is reclaimed at the first use. */
export function openRootfsStore(options: RootfsStoreOptions): RootfsStore {
  return new DirectoryRootfsStore(options);
}
