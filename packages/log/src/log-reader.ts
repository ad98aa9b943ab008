import { type Clock, systemClock } from "@touchmark/core";
import {
  type NoteVerifier,
  openCheckpoint,
  parseVerifierKey,
  type VerifiedCheckpoint,
  type WitnessPolicy,
} from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import { refuseFork, refuseRollback } from "./published.ts";
import { type LogProof, proveConsistency, proveInclusion, readEntry } from "./reader.ts";
import type { TileSource } from "./tile-source.ts";

/** How to open a log for reading. */
export interface LogReaderOptions {
  readonly source: TileSource;
  /** Verifier key of the log, or the key itself. */
  readonly verifier: string | NoteVerifier;
  /** Origin, when it is not the key's name. */
  readonly origin?: string;
  /** Witnesses that must have cosigned the checkpoint. */
  readonly witnesses?: WitnessPolicy;
  readonly clock?: Clock;
}

/** A log open for reading: checks every byte against the checkpoint, on any operating system, without keys or locks. */
export interface LogReader {
  /** The published checkpoint, verified; never older than one given before, and always an extension of it. */
  checkpoint(): Promise<VerifiedCheckpoint>;
  prove(index: number, size?: number): Promise<LogProof & { readonly checkpoint: string }>;
  entry(index: number): Promise<Uint8Array>;
  consistency(from: number, to: number): Promise<Uint8Array[]>;
}

/**
 * Opens a log for reading.
 * @throws LOG_NOT_FOUND, LOG_ROLLED_BACK, LOG_FORKED, LOG_TREE_MISMATCH and what openCheckpoint throws, on each call
 */
export function openLogReader(options: LogReaderOptions): LogReader {
  const { source, origin, witnesses, clock = systemClock } = options;
  const log = typeof options.verifier === "string" ? parseVerifierKey(options.verifier) : options.verifier;
  let last: VerifiedCheckpoint | undefined;
  const checkpoint = async (): Promise<VerifiedCheckpoint> => {
    const note = await source.read("checkpoint");
    if (note === undefined) throw logErrors.make("LOG_NOT_FOUND", "expected a checkpoint, found nothing");
    const expected = {
      log,
      now: clock.now(),
      ...(origin === undefined ? {} : { origin }),
      ...(witnesses ? { witnesses } : {}),
    };
    const found = openCheckpoint(note, expected);
    refuseRollback(found, last);
    await refuseFork(source, found, last);
    last = found;
    return found;
  };
  return {
    checkpoint,
    async prove(index, size) {
      const head = await checkpoint();
      return { ...(await proveInclusion(source, head, index, size)), checkpoint: head.note };
    },
    entry: async (index) => readEntry(source, await checkpoint(), index),
    consistency: async (from, to) => (await proveConsistency(source, await checkpoint(), from, to)).hashes,
  };
}
