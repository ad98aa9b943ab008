import type { Digest } from "@touchmark/core";

/** What can be stored: bytes, a stream of them, or a file to copy or move in. */
export type BlobSource =
  | Uint8Array
  | AsyncIterable<Uint8Array>
  | {
      readonly file: string;
      /** The file is gone afterwards. */
      readonly move?: boolean;
      /** With `move`: nobody else can write the file, nor holds it open, so that it need not be copied. */
      readonly owned?: boolean;
    };

/** Conditions of a put. */
export interface PutOptions {
  /** The digest that the content was announced by. @throws STORE_BLOB_MISMATCH */
  readonly expected?: Digest;
  /** Most bytes to accept. Default no limit. @throws STORE_BLOB_TOO_LARGE */
  readonly maxBytes?: number;
}

/** Limits of a read. */
export interface ReadOptions {
  /** Most bytes to read: 256 MiB for `get`, no limit for `stream`. @throws STORE_BLOB_TOO_LARGE */
  readonly maxBytes?: number;
}

/** A stored blob. */
export interface BlobDescriptor {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Immutable blobs by digest. Verifies on write and on read, never overwrites (SPEC C). */
export interface ContentStore {
  /** Stores content under the digest of its bytes. Safe against a power cut after `durable()`. */
  put(source: BlobSource, options?: PutOptions): Promise<BlobDescriptor>;
  /** The bytes of a blob, verified. @throws STORE_BLOB_MISSING | STORE_BLOB_CORRUPT | STORE_BLOB_TOO_LARGE */
  get(digest: Digest, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * The bytes of a blob in chunks. The last chunk comes only once the whole content is verified; until the stream has
   * ended nothing of it may be relied upon. @throws as `get`
   */
  stream(digest: Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** True when a blob of that digest is there. Says nothing about its bytes. */
  has(digest: Digest): Promise<boolean>;
  /** Size in bytes. @throws STORE_BLOB_MISSING */
  size(digest: Digest): Promise<number>;
  /** Deletes a blob; absence is success. */
  delete(digest: Digest): Promise<void>;
  /** Every blob, in order of digests. */
  list(): AsyncIterable<BlobDescriptor>;
  /** A barrier: everything put before survives a power cut once this returns. */
  durable(): Promise<void>;
}

/** A content store whose blobs are files. */
export interface FileContentStore extends ContentStore {
  /** The OCI layout's directory. */
  readonly directory: string;
  /** Where the blob lies, or would lie. Bytes read from there are not verified. */
  path(digest: Digest): string;
  /** When the blob was last put, in milliseconds of the epoch; undefined when it is not there. */
  usedAt(digest: Digest): number | undefined;
  /** As `has`, and keeps a prune from deleting the blob, and the run it came from, for the time being. */
  use(digest: Digest): Promise<boolean>;
  /**
   * Moves in a file of a private directory whose bytes this very process hashed while it wrote them, without reading it
   * again: its reader verifies as ever. Content and name survive a power cut once this returns; several at once share
   * the flush of the directory. True when the blob was there already, and the file is then deleted.
   * @throws STORE_BLOB_MISMATCH when the file does not have that size
   */
  adopt(file: string, known: BlobDescriptor): Promise<boolean>;
  /**
   * Deletes a blob unless it was put again since the given time, or `isNeeded` says so at the last moment; answers the
   * bytes freed. For `prune`.
   */
  deleteUnused(digest: Digest, since: number, isNeeded?: () => boolean): Promise<number>;
  /** Moves a damaged blob out of the way, into the home's quarantine. */
  quarantine(digest: Digest): void;
}
