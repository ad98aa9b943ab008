import { decodeBase64, encodeBase64 } from "@touchmark/core";
import { type NoteSigner, type NoteVerifier, openNote, parseNote, signNote } from "./note.ts";
import { noteErrors } from "./note-errors.ts";
import { type Cosignature, checkQuorum, type WitnessPolicy } from "./witness-policy.ts";

/** Checkpoints of transparency logs (C2SP tlog-checkpoint). */

/** What a checkpoint says: the log, how many entries it has, and the root over them. */
export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root hash, 32 bytes. */
  readonly root: Uint8Array;
  /** Opaque further lines. */
  readonly extensions: readonly string[];
}

/** A checkpoint whose log signature was verified, with the cosignatures that count. */
export interface VerifiedCheckpoint extends Checkpoint {
  /** The signed note as it was given. */
  readonly note: string;
  readonly cosignatures: readonly Cosignature[];
}

/** Text of a checkpoint, ready to be signed. */
export function checkpointText(
  checkpoint: Omit<Checkpoint, "extensions"> & { extensions?: readonly string[] },
): string {
  const lines = [checkpoint.origin, `${checkpoint.size}`, encodeBase64(checkpoint.root)];
  return [...lines, ...(checkpoint.extensions ?? []), ""].join("\n");
}

/** Signs a checkpoint and gives the note. */
export function signCheckpoint(
  checkpoint: Omit<Checkpoint, "extensions"> & { extensions?: readonly string[] },
  signers: readonly NoteSigner[],
): string {
  return signNote(checkpointText(checkpoint), signers);
}

/** Reads the text of a checkpoint strictly. @throws CHECKPOINT_MALFORMED */
export function parseCheckpointText(text: string): Checkpoint {
  const fail = (why: string) => noteErrors.make("CHECKPOINT_MALFORMED", `expected a checkpoint, found ${why}`);
  const lines = text.split("\n");
  if (lines.pop() !== "") throw fail("a last line without newline");
  const [origin, size, root, ...extensions] = lines;
  if (!origin || size === undefined || root === undefined) throw fail(`${lines.length} lines`);
  if (extensions.includes("")) throw fail("an empty line");
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw fail(`the tree size ${JSON.stringify(size.slice(0, 40))}, which is not canonical decimal below 2^53`);
  }
  let hash: Uint8Array;
  try {
    hash = decodeBase64(root);
  } catch (cause) {
    throw noteErrors.make("CHECKPOINT_MALFORMED", "the root hash of a checkpoint is not base64", { cause });
  }
  if (hash.length !== 32) throw fail(`a root hash of ${hash.length} bytes`);
  return { origin, size: Number(size), root: hash, extensions };
}

/** What a checkpoint must satisfy. */
export interface CheckpointExpectations {
  /** The log's key, or its keys during a rotation. */
  readonly log: NoteVerifier | readonly NoteVerifier[];
  /** The origin line; the key's name unless told otherwise (Rekor v1 appends a tree number). */
  readonly origin?: string;
  /** Witnesses whose cosignatures count, and the quorum that they must reach. None: no cosignature is looked at. */
  readonly witnesses?: WitnessPolicy;
  /** Now: a cosignature that states a later time, beyond a minute of skew, is not counted. Needed with `witnesses`. */
  readonly now?: Date;
}

/**
 * Verifies a signed checkpoint: log signature, origin, witness quorum.
 * @throws NOTE_MALFORMED, NOTE_SIGNATURE_INVALID, NOTE_UNTRUSTED, CHECKPOINT_MALFORMED, CHECKPOINT_ORIGIN_MISMATCH,
 *   WITNESS_QUORUM_MISSING
 */
export function openCheckpoint(note: string | Uint8Array, expected: CheckpointExpectations): VerifiedCheckpoint {
  const logs = Array.isArray(expected.log) ? (expected.log as readonly NoteVerifier[]) : [expected.log as NoteVerifier];
  const parsed = parseNote(note);
  const checkpoint = parseCheckpointText(parsed.text);
  const witnesses = expected.witnesses?.witnesses ?? [];
  const opened = openNote(parsed, [...logs, ...witnesses.map((witness) => witness.verifier)]);
  const signer = opened.signatures.find((line) => logs.includes(line.verifier))?.verifier;
  if (signer === undefined) {
    throw noteErrors.make(
      "NOTE_UNTRUSTED",
      `expected a signature by the log ${logs.map((log) => log.name).join(", ")}`,
    );
  }
  const origin = expected.origin ?? signer.name;
  if (checkpoint.origin !== origin) {
    throw noteErrors.make(
      "CHECKPOINT_ORIGIN_MISMATCH",
      `expected a checkpoint of ${JSON.stringify(origin)}, found one of ${JSON.stringify(checkpoint.origin)}`,
    );
  }
  const cosignatures = expected.witnesses ? checkQuorum(expected.witnesses, opened.signatures, expected.now) : [];
  return { ...checkpoint, note: typeof note === "string" ? note : Buffer.from(note).toString(), cosignatures };
}
