import type { Digest } from "@touchmark/core";

/** An image unpacked once, read-only, shared by steps (SPEC X). */
export interface Rootfs {
  /** Digest of the image's manifest, for one platform. */
  readonly image: Digest;
  /** Directory with the files. */
  readonly directory: string;
  /** `core.treeDigest`-like digest over everything unpacked: path, kind, mode, content, link. What `verify` compares with. */
  readonly listing: Digest;
  /** Variables of the image's configuration. */
  readonly environment: Readonly<Record<string, string>>;
  /** User of the image's configuration, as written there. */
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly files: number;
  readonly bytes: number;
}

/** How an unpacked image is verified before a step uses it. `rehash` reads every byte; `listing` compares size, times and inode with what was written down when it was hashed, and hashes what differs. */
export type RootfsVerification = "rehash" | "listing";
