import { equalBytes, leafHash, verifyInclusion } from "@touchmark/core";
import { type NoteVerifier, openCheckpoint, parseNote, type WitnessPolicy } from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";

/** A log that a relying party trusts. */
export interface TrustedLogKey {
  readonly verifier: NoteVerifier;
  /** Origin, when it is not the key's name. */
  readonly origin?: string;
  /** Who runs it: two logs of one operator are one voice. */
  readonly operator: string;
  readonly validFrom?: Date;
  /** First moment at which the key is not valid any more. */
  readonly validUntil?: Date;
  readonly witnesses?: WitnessPolicy;
}

/** What a log gave for an entry. */
export interface EntryProof {
  readonly index: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: string;
}

/**
 * Checks that an entry is in enough logs of different operators. Pure. Every proof given must be good.
 * @param at when the entry was made, by a time-stamp or another clock that the logs do not run
 * @returns the operators that vouch for the entry
 * @throws PROOF_INVALID, LOG_WINDOW_MISSED, LOG_THRESHOLD_MISSED, and what openCheckpoint throws
 */
export function verifyLogged(
  body: Uint8Array,
  proofs: readonly EntryProof[],
  expected: {
    readonly logs: readonly TrustedLogKey[];
    readonly threshold?: number;
    readonly at: Date;
    readonly now: Date;
  },
): string[] {
  const operators = new Set<string>();
  const verifiers = expected.logs.map((log) => log.verifier);
  for (const proof of proofs) {
    // Which of the trusted logs it is follows from the signature, never from what the proof says.
    const log = expected.logs.find((known) => signedBy(proof, known));
    const head = openCheckpoint(proof.checkpoint, {
      log: log?.verifier ?? verifiers,
      now: expected.now,
      ...(log?.origin === undefined ? {} : { origin: log.origin }),
      ...(log?.witnesses ? { witnesses: log.witnesses } : {}),
    });
    if (head.size !== proof.treeSize || !equalBytes(head.root, proof.rootHash)) {
      const found = `a proof for size ${proof.treeSize} under a checkpoint of size ${head.size}`;
      throw logErrors.make("LOG_TREE_MISMATCH", `expected a proof within the tree of its checkpoint, found ${found}`);
    }
    verifyInclusion(proof.index, head.size, leafHash(body), proof.hashes, head.root);
    if (log === undefined) continue;
    const { validFrom, validUntil, operator } = log;
    if ((validFrom && expected.at < validFrom) || (validUntil && expected.at >= validUntil)) {
      const window = `${validFrom?.toISOString() ?? "ever"} to ${validUntil?.toISOString() ?? "ever"}`;
      throw logErrors.make("LOG_WINDOW_MISSED", `expected a time from ${window}, found ${expected.at.toISOString()}`);
    }
    operators.add(operator);
  }
  const threshold = expected.threshold ?? 1;
  if (operators.size < threshold) {
    const found = [...operators].join(", ") || "none";
    throw logErrors.make(
      "LOG_THRESHOLD_MISSED",
      `expected ${threshold} operators that logged the entry, found ${found}`,
    );
  }
  return [...operators];
}

function signedBy(proof: EntryProof, log: TrustedLogKey): boolean {
  return parseNote(proof.checkpoint).signatures.some(
    (line) => line.name === log.verifier.name && line.keyId === log.verifier.keyId,
  );
}
