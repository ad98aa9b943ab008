import type { Digest } from "@touchmark/core";
import type { Descriptor } from "@touchmark/formats/oci";

/**
 * Where a registry keeps what it has. Names, digests, tags and sizes were validated before; content is verified here, as
 * it comes in. What a method acknowledges survives `kill -9` and a power cut. One contract suite holds for all
 * (test-kit, registry-contract). Content is shared among repositories; what a repository does not have is invisible in it.
 */
export interface RegistryBackend {
  readonly kind: "file-system" | "memory" | "s3" | "pull-through";
  readonly blobs: BlobBackend;
  readonly uploads: UploadBackend;
  readonly manifests: ManifestBackend;
  readonly tags: TagBackend;
  /** Names of repositories that have something, in byte order, after `after`. */
  repositories(page: Page): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A piece of a list in byte order. */
export interface Page {
  /** Names strictly after this one. */
  readonly after?: string;
  readonly limit: number;
}

/** Content ready to be sent. */
export interface BlobRead {
  /** Bytes of the whole blob. */
  readonly size: number;
  /** Bytes from `start` to `end` (exclusive). A whole read verifies the digest and ends with an error before the last chunk when it is wrong. */
  stream(range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

export interface BlobBackend {
  /** Undefined when this repository does not have it. */
  open(repository: string, digest: Digest): Promise<BlobRead | undefined>;
  /** Shows a blob of one repository in another; false when `from` does not have it. */
  mount(digest: Digest, from: string, to: string): Promise<boolean>;
  /** Takes it out of this repository; false when it was not there. Bytes go with the next collection. */
  delete(repository: string, digest: Digest): Promise<boolean>;
}

export interface UploadBackend {
  /** A new, unguessable id. */
  begin(repository: string): Promise<string>;
  /** Bytes received so far; undefined when there is no such upload in this repository. */
  received(repository: string, id: string): Promise<number | undefined>;
  /**
   * Appends. Two writers of one upload exclude each other (REGISTRY_UPLOAD_BUSY). When the stream breaks, what came is kept
   * and counted. @throws REGISTRY_UPLOAD_UNKNOWN | REGISTRY_UPLOAD_BUSY | REGISTRY_RANGE_INVALID | REGISTRY_TOO_LARGE
   */
  append(
    repository: string,
    id: string,
    options: { readonly offset: number | undefined; readonly maxBytes: number },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<number>;
  /** Ends an upload: content is verified, durable, and in the repository. @throws REGISTRY_DIGEST_MISMATCH (the upload is gone) */
  finish(repository: string, id: string, digest: Digest): Promise<{ readonly size: number }>;
  /** A whole blob in one go. @throws REGISTRY_DIGEST_MISMATCH | REGISTRY_TOO_LARGE */
  put(
    repository: string,
    digest: Digest,
    maxBytes: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly size: number }>;
  cancel(repository: string, id: string): Promise<boolean>;
}

/** A manifest that was validated by the server. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** What the manifest needs to stay: config, layers, manifests. */
  readonly references: readonly Digest[];
  /** What it refers to as subject; the subject need not be there. */
  readonly subject?: Digest;
  /** How it shows in a list of referrers (distribution-spec 1.1, listing referrers). */
  readonly shown: Descriptor;
}

export interface ManifestBackend {
  /** Undefined when this repository does not have it. Bytes are verified. */
  get(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array } | undefined>;
  /** Stores manifest and tag in one atomic step. @throws as TagBackend.set */
  put(
    repository: string,
    manifest: StoredManifest,
    tag?: { readonly name: string; readonly immutable: boolean },
  ): Promise<void>;
  /** Deletes it with the tags that point to it; false when it was not there. */
  delete(repository: string, digest: Digest): Promise<boolean>;
  /** Manifests whose subject it is, in order of digests, after `after`. */
  referrers(
    repository: string,
    subject: Digest,
    options: { readonly artifactType?: string; readonly after?: Digest; readonly limit: number },
  ): Promise<readonly Descriptor[]>;
}

export interface TagBackend {
  resolve(repository: string, tag: string): Promise<Digest | undefined>;
  /** @throws REGISTRY_TAG_IMMUTABLE when it is there with another digest, and `immutable` */
  set(repository: string, tag: string, digest: Digest, immutable: boolean): Promise<void>;
  delete(repository: string, tag: string): Promise<boolean>;
  /** Undefined when there is no such repository. */
  list(repository: string, page: Page): Promise<readonly string[] | undefined>;
}

/** Bytes used, for quotas: of content that the repository has, each blob counted once. Optional capability. */
export interface UsageBackend {
  usage(repository: string): Promise<{ readonly bytes: number; readonly manifests: number; readonly tags: number }>;
}

/** Collects what nothing refers to, beside writers. Optional capability. */
export interface CollectingBackend {
  /** Keeps tagged manifests, what they reference, and referrers of what is kept; untagged manifests go when `untagged`. Nothing younger than `graceSeconds` goes. */
  collect(options: {
    readonly untagged: boolean;
    readonly graceSeconds: number;
    readonly dryRun: boolean;
  }): Promise<CollectReport>;
  /** Every damaged or missing blob and every link that leads nowhere. */
  fsck(): Promise<readonly { readonly code: string; readonly message: string }[]>;
}

export interface CollectReport {
  readonly deletedManifests: readonly { readonly repository: string; readonly digest: Digest }[];
  readonly deletedBlobs: readonly Digest[];
  readonly freedBytes: number;
  readonly keptBlobs: number;
  readonly abandonedUploads: number;
}
