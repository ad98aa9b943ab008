import type { Digest } from "@touchmark/core";
import type { Descriptor } from "./types.ts";

/** A manifest as it was found; the bytes have the digest. */
export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Where images and artifacts are read from: a repository of a registry, an OCI layout, a docker archive, a content store. */
export interface OciReader {
  /** For messages and records: `registry:HOST/NAME`, `oci-dir:PATH`, `docker-archive:PATH`. */
  readonly name: string;
  /** Finds a manifest by tag or digest; the bytes are verified against the digest, and bounded. */
  manifest(reference: string): Promise<FoundManifest>;
  /** The content of a blob in chunks; the last one comes only once digest and size are verified. */
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** What refers to a manifest, by the referrers API or the fallback tag; unverified, in pages, bounded by the caller's `break`. */
  referrers(subject: Digest, options?: { readonly artifactType?: string }): AsyncIterable<Descriptor>;
  /** Tags in order; undefined where the place has none. */
  tags?(): AsyncIterable<string>;
}

/** Where images and artifacts are written to. What was put is durable once the call returns. */
export interface OciWriter {
  readonly name: string;
  hasBlob(digest: Digest): Promise<boolean>;
  /** Puts a blob; `open` may be called again when a transfer is resumed. The place verifies digest and size. */
  putBlob(descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>): Promise<void>;
  /** Puts a manifest under its digest, and under a tag when one is given. Referenced content must be there. */
  putManifest(bytes: Uint8Array, mediaType: string, tag?: string): Promise<Descriptor>;
}
