import type { Digest } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { BodySink } from "../door.ts";
import type { MaterialRecord } from "../material.ts";

/** A body that streams into the mirror's quarantine. */
export interface Incoming extends BodySink {
  /** Deletes it; after a commit nothing happens. */
  discard(): Promise<void>;
}

/** What was ever seen under a package's name, version and file name. */
export interface SeenFile {
  readonly purl: string;
  readonly fileName: string;
  readonly digest: Digest;
  readonly size: number;
  readonly firstSeen: string;
  /** Name of the upstream that served it. */
  readonly upstream: string;
}

/** Verified responses by request and by digest, kept in the home. Safe among several processes and against kill -9. */
export interface Mirror {
  /** A new file in quarantine. */
  incoming(): Promise<Incoming>;
  /** Moves a body in under its digest, verified again, and writes its record; both or neither. Idempotent. */
  commit(incoming: Incoming, record: MaterialRecord): Promise<void>;
  /** The newest record of a request. */
  find(key: string): Promise<MaterialRecord | undefined>;
  /** A record with a body of that announced digest. */
  findByDigest(digest: AnnouncedDigest): Promise<MaterialRecord | undefined>;
  /** Path of a body, hashed again. @throws MIRROR_BODY_CORRUPT | MIRROR_BODY_MISSING | MIRROR_BODY_MISMATCH */
  body(record: MaterialRecord): Promise<string>;
  /** Every file ever seen under a package URL and file name, oldest first; more than one digest is an alarm. */
  seen(purl: string, fileName: string): Promise<readonly SeenFile[]>;
  /** Every record, newest per request first. */
  records(): AsyncIterable<MaterialRecord>;
  /**
   * Waits until no other process downloads what has this key; the holder must release, and its death releases too.
   * @throws MIRROR_LEASE_BUSY after `timeoutMs` (default ten minutes)
   */
  lease(key: string, options?: { readonly timeoutMs?: number }): Promise<{ release(): Promise<void> }>;
  close(): Promise<void>;
}
