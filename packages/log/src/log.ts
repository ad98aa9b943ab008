import type { Clock } from "@touchmark/core";
import type { BundleProfile, LogInclusion, LogWitness } from "@touchmark/sign";
import type { LogKeys } from "./keys.ts";
import type { WitnessClient } from "./witness-client.ts";
import { LogWriter } from "./writer.ts";

/** How to open a log for writing. */
export interface OpenLogOptions {
  /** Directory of the log: `checkpoint` and `tile/`, as C2SP tlog-tiles serves them. Created when missing. */
  readonly directory: string;
  readonly keys: LogKeys;
  /** Refuses keys of another origin. */
  readonly origin?: string;
  readonly clock?: Clock;
  /** Longest wait for another process that is writing, in milliseconds. Default 30,000. */
  readonly lockTimeoutMs?: number;
  /** Witnesses that are asked to cosign before an append is answered. */
  readonly witnesses?: {
    readonly clients: readonly WitnessClient[];
    /** How many must cosign for an append to succeed. Default 0: cosignatures are taken when they come. */
    readonly quorum?: number;
  };
}

/** A transparency log open for writing. */
export interface TransparencyLog extends LogWitness {
  readonly origin: string;
  /** Verifier key of the Ed25519 checkpoint (C2SP signed-note). */
  readonly verifierKey: string;
  /** 32 bytes: the whole hash of the note key. */
  readonly logId: Uint8Array;
  /**
   * Appends an entry and answers once it is durable, published and proven. Calls made together share one batch.
   * A rejected entry may still be logged when storage failed in the very last step; it is never half logged.
   * @throws ENTRY_TOO_LARGE, LOG_CLOSED, LOG_LOCKED, LOG_WRITE_FAILED, LOG_FORKED, LOG_ROLLED_BACK, LOG_TREE_MISMATCH
   */
  append(body: Uint8Array, options?: { readonly profile?: BundleProfile }): Promise<LogInclusion>;
  /** The published checkpoint, a signed note; with `v1` the P-256 one over the same tree. */
  checkpoint(profile?: BundleProfile): Promise<string>;
  /** Proves an entry within the published tree, or within an earlier size of it. @throws LOG_INDEX_OUT_OF_RANGE */
  prove(index: number, size?: number, options?: { readonly profile?: BundleProfile }): Promise<LogInclusion>;
  /** An entry's body, checked against the tree. @throws LOG_INDEX_OUT_OF_RANGE, LOG_ENTRY_ALTERED */
  entry(index: number): Promise<Uint8Array>;
  /** Proof that the tree of `to` entries extends that of `from` (RFC 6962 section 2.1.2). */
  consistency(from: number, to: number): Promise<Uint8Array[]>;
  /** Asks the witnesses to cosign the published checkpoint, and publishes it with what they gave. */
  cosign(): Promise<string>;
  /** Waits for appends under way and gives up the lock file. */
  close(): Promise<void>;
}

/**
 * Opens a log for writing, and creates an empty one in an empty directory. Several processes may have it open.
 * @throws LOG_ORIGIN_INVALID, LOG_FORKED, LOG_ROLLED_BACK, and what reading a checkpoint throws
 */
export async function openLog(options: OpenLogOptions): Promise<TransparencyLog> {
  return LogWriter.open(options);
}
