/** The shape of a signed bundle: `v2` hashedrekord 0.0.2 with time-stamp, `v1` dsse 0.0.1 with the log's promise. */
export type BundleProfile = "v2" | "v1";

/** Where an entry stands in a transparency log, proven. The log answers only when the entry is durable. */
export interface LogInclusion {
  /** Log id as the trusted root spells it, 32 bytes: SHA-256 of the note key, or of the SPKI for profile `v1`. */
  readonly logId: Uint8Array;
  readonly index: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  /** Inclusion proof, leaf to root (RFC 6962 section 2.1.1). */
  readonly hashes: readonly Uint8Array[];
  /** The signed note (C2SP tlog-checkpoint) over treeSize and rootHash, full text. */
  readonly checkpoint: string;
  /** Profile `v1` only: when the log took the entry, seconds since 1970. */
  readonly integratedTime?: number;
  /**
   * Profile `v1` only: DER P-256 signature by the log over the canonical JSON
   * `{"body","integratedTime","logID","logIndex"}` (body base64, logID hex of logId).
   */
  readonly signedEntryTimestamp?: Uint8Array;
}

/** Port to a transparency log, implemented by @touchmark/log. */
export interface LogWitness {
  /**
   * Appends an entry body and answers once it is durable and proven.
   * With profile `v1` the answer carries the P-256 checkpoint, its log id, integratedTime and signedEntryTimestamp.
   */
  append(body: Uint8Array, options?: { readonly profile?: BundleProfile }): Promise<LogInclusion>;
}

/** Port to a time-stamp authority (RFC 3161), implemented by @touchmark/identity. */
export interface TimestampWitness {
  /** DER TimeStampResp over SHA-256 of the message; the message is the signature's bytes. */
  stamp(message: Uint8Array): Promise<Uint8Array>;
}
