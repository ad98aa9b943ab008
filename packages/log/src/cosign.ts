import { encodeBase64 } from "@touchmark/core";
import {
  checkQuorum,
  noteErrors,
  openNote,
  parseCheckpointText,
  parseNote,
  signatureLine,
  type VerifiedNoteSignature,
  witnessQuorum,
} from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import type { WitnessClient } from "./witness-client.ts";

/** Asking witnesses for cosignatures (C2SP tlog-witness, the log's side). */

/** Spells an `add-checkpoint` request. */
export function addCheckpointRequest(from: number, proof: readonly Uint8Array[], checkpoint: string): string {
  return `old ${from}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${checkpoint}`;
}

/** What to have cosigned, and by whom. */
export interface CosignRequest {
  readonly head: { readonly size: number; readonly note: string };
  readonly clients: readonly WitnessClient[];
  /** How many must cosign. */
  readonly quorum: number;
  /** Consistency proof from an earlier size to the head's. */
  proof(from: number): Promise<readonly Uint8Array[]>;
  readonly now: Date;
}

// What each witness is known to have seen; saves the first of two questions.
const lastSeen = new WeakMap<WitnessClient, Map<string, number>>();

/**
 * Asks witnesses, all at once, and gives the checkpoint with the cosignatures that they gave.
 * @throws WITNESS_QUORUM_MISSING, whose cause holds what the witnesses answered
 */
export async function cosignCheckpoint(request: CosignRequest): Promise<string> {
  const { head, clients, quorum } = request;
  const answers = await Promise.allSettled(clients.map((client) => askWitness(client, request)));
  const lines: VerifiedNoteSignature[] = [];
  const failures: unknown[] = [];
  for (const answer of answers) {
    if (answer.status === "fulfilled") lines.push(...answer.value);
    else failures.push(answer.reason);
  }
  try {
    checkQuorum(
      witnessQuorum(
        lines.map((line) => line.verifier),
        quorum,
      ),
      lines,
      request.now,
    );
  } catch (error) {
    const cause = new AggregateError(failures, "witnesses that did not cosign");
    const reasons = failures.map((failure) => (failure as Error).message).join("; ");
    throw noteErrors.make("WITNESS_QUORUM_MISSING", `${(error as Error).message}; ${reasons}`, { cause });
  }
  return lines.length === 0 ? head.note : mergeCosignatures(head.note, head.note + lines.map(spell).join(""));
}

/**
 * Asks one witness; when it knows another size than we thought, once more from there.
 * @throws WITNESS_REFUSED, WITNESS_UNREACHABLE
 */
export async function askWitness(client: WitnessClient, request: CosignRequest): Promise<VerifiedNoteSignature[]> {
  const { head, proof } = request;
  const { origin } = parseCheckpointText(parseNote(head.note).text);
  const seen = lastSeen.get(client) ?? new Map<string, number>();
  lastSeen.set(client, seen);
  for (let attempt = 0; ; attempt++) {
    const from = Math.min(seen.get(origin) ?? 0, head.size);
    const answer = await client.addCheckpoint(
      addCheckpointRequest(from, from === 0 ? [] : await proof(from), head.note),
    );
    if (answer.status === 200) {
      seen.set(origin, head.size);
      return verifiedLines(client, head.note, answer.body);
    }
    const size =
      answer.status === 409 && /^(?:0|[1-9][0-9]{0,15})\n$/.test(answer.body) ? Number(answer.body) : undefined;
    if (size === undefined || attempt > 0 || size > head.size) {
      const why = answer.body.trim().slice(0, 200);
      throw logErrors.make("WITNESS_REFUSED", `the witness ${client.verifier.name} answered ${answer.status}: ${why}`);
    }
    seen.set(origin, size);
  }
}

function verifiedLines(client: WitnessClient, note: string, answer: string): VerifiedNoteSignature[] {
  try {
    return [...openNote(`${parseNote(note).text}\n${answer}`, [client.verifier]).signatures];
  } catch (cause) {
    const why = `the witness ${client.verifier.name} gave no cosignature that verifies`;
    throw logErrors.make("WITNESS_UNREACHABLE", why, { cause });
  }
}

/** Adds the lines of `other` that `note` lacks. Both are over the same text; when they are not, `note` is kept. */
export function mergeCosignatures(note: string, other: string): string {
  const known = parseNote(note);
  const more = parseNote(other);
  if (known.text !== more.text) return note;
  const keys = new Set(known.signatures.map((line) => `${line.name}+${line.keyId}`));
  return (
    note +
    more.signatures
      .filter((line) => !keys.has(`${line.name}+${line.keyId}`))
      .map(spell)
      .join("")
  );
}

function spell(line: { readonly name: string; readonly keyId: number; readonly signature: Uint8Array }): string {
  return signatureLine(line, line.signature);
}
