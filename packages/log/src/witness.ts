import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  decodeBase64,
  emptyRoot,
  encodeBase64,
  equalBytes,
  systemClock,
  verifyConsistency,
} from "@touchmark/core";
import {
  type Checkpoint,
  checkpointText,
  type NoteSigner,
  type NoteVerifier,
  openCheckpoint,
  openNote,
  parseCheckpointText,
  parseNote,
  signatureLine,
  verifierKeyText,
} from "@touchmark/formats/log";
import { DurableDirectory } from "./durable.ts";
import { logErrors } from "./errors.ts";
import { openLock } from "./lock.ts";
import type { WitnessResponse } from "./witness-client.ts";

/** A witness (C2SP tlog-witness): cosigns a checkpoint when it extends the last one that it cosigned. */

/** A log that a witness knows. */
export interface WitnessedLog {
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
}

/** What a witness decides on a request: the answer, what to remember before giving it, what to keep as evidence. */
export interface WitnessDecision {
  readonly response: WitnessResponse;
  /** The checkpoint with the log's lines and ours, to be durable before the answer is given. */
  readonly remember?: { readonly origin: string; readonly note: string };
  /** A validly signed checkpoint that is not an extension of the last one: proof of a fork, or of a broken log. */
  readonly evidence?: { readonly origin: string; readonly known: string; readonly request: string };
}

/** Longest request that is read, in bytes. */
export const MAXIMUM_REQUEST_BYTES = 128 << 10;
const text = "text/plain; charset=utf-8";
const refuse = (status: number, why: string): WitnessDecision => ({
  response: { status, contentType: text, body: `${why}\n` },
});

/** Reads an `add-checkpoint` request; undefined when it is not one. */
export function parseAddCheckpoint(
  request: string,
): { old: number; proof: Uint8Array[]; checkpoint: string } | undefined {
  const gap = request.indexOf("\n\n");
  if (gap < 0) return undefined;
  const [first = "", ...lines] = request.slice(0, gap).split("\n");
  const size = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1];
  if (size === undefined || !Number.isSafeInteger(Number(size)) || lines.length > 63) return undefined;
  try {
    const proof = lines.map(decodeBase64);
    if (proof.some((hash) => hash.length !== 32)) return undefined;
    return { old: Number(size), proof, checkpoint: request.slice(gap + 2) };
  } catch {
    return undefined;
  }
}

/**
 * Decides on an `add-checkpoint` request. Pure; every refusal is a status of the specification.
 * @param lookUp the checkpoint cosigned last for an origin, as it was remembered; undefined when there is none
 */
export function judgeCheckpoint(
  request: string,
  witness: { readonly signer: NoteSigner; readonly logs: readonly WitnessedLog[]; readonly now: Date },
  lookUp: (origin: string) => string | undefined,
): WitnessDecision {
  const parsed = parseAddCheckpoint(request);
  if (parsed === undefined) return refuse(400, "expected: old SIZE, proof lines, an empty line, a checkpoint");
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpointText(parseNote(parsed.checkpoint).text);
  } catch (error) {
    return refuse(400, (error as Error).message);
  }
  const { origin, size, root } = checkpoint;
  const log = witness.logs.find((known) => known.origin === origin);
  if (log === undefined) return refuse(404, "unknown log");
  let lines: string;
  try {
    const opened = openNote(parsed.checkpoint, log.verifiers);
    lines = opened.signatures.map((line) => signatureLine(line, line.signature)).join("");
  } catch (error) {
    return refuse(403, (error as Error).message);
  }
  if (parsed.old > size) return refuse(400, `the old size ${parsed.old} is larger than the checkpoint's ${size}`);
  const known = lookUp(origin);
  const last = known === undefined ? { size: 0, root: emptyRoot } : parseCheckpointText(parseNote(known).text);
  if (parsed.old !== last.size) {
    return { response: { status: 409, contentType: "text/x.tlog.size", body: `${last.size}\n` } };
  }
  const inconsistent = inconsistency(parsed.proof, last, checkpoint);
  if (inconsistent !== undefined) {
    return { ...refuse(422, inconsistent), evidence: { origin, known: known ?? "", request } };
  }
  const body = checkpointText({ origin, size, root, extensions: checkpoint.extensions });
  const cosignature = signatureLine(witness.signer, witness.signer.sign(body, witness.now));
  return {
    response: { status: 200, contentType: text, body: cosignature },
    remember: { origin, note: `${body}\n${lines}${cosignature}` },
  };
}

function inconsistency(
  proof: readonly Uint8Array[],
  last: { readonly size: number; readonly root: Uint8Array },
  next: Checkpoint,
): string | undefined {
  if (next.size === 0 && !equalBytes(next.root, emptyRoot)) return "a tree of size 0 has the root of the empty tree";
  try {
    verifyConsistency(last.size, next.size, proof, last.root, next.root);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A witness with a memory in a directory. */
export interface Witness {
  /** Verifier key of its cosignatures (type 0x04). */
  readonly verifierKey: string;
  readonly verifier: NoteVerifier;
  /** Answers an `add-checkpoint` request; what it cosigned is durable by then. */
  addCheckpoint(request: string): Promise<WitnessResponse>;
  /** The checkpoint cosigned last for a log, for `GET <hex SHA-256 of the origin>/checkpoint`. */
  checkpoint(origin: string): string | undefined;
  close(): Promise<void>;
}

/**
 * Opens a witness. Several processes may share its directory.
 * @throws WITNESS_STATE_INVALID on a request, when the memory does not hold what the witness signed
 */
export async function openWitness(options: {
  readonly directory: string;
  readonly signer: NoteSigner;
  readonly logs: readonly WitnessedLog[];
  readonly clock?: Clock;
}): Promise<Witness> {
  const { directory, signer, logs, clock = systemClock } = options;
  mkdirSync(directory, { recursive: true });
  const files = new DurableDirectory(directory);
  const lock = await openLock(join(directory, "lock"));
  const pathOf = (origin: string) => `${createHash("sha256").update(origin).digest("hex")}/checkpoint`;
  const lookUp = (origin: string): string | undefined => {
    let note: string;
    try {
      note = readFileSync(join(directory, pathOf(origin)), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      openCheckpoint(note, { log: signer, origin });
      return note;
    } catch (cause) {
      throw logErrors.make("WITNESS_STATE_INVALID", `expected what we cosigned for ${origin}`, { cause });
    }
  };
  let turns: Promise<unknown> = Promise.resolve();
  const answer = async (request: string): Promise<WitnessResponse> => {
    // Compare and remember are one act, or an older checkpoint could overwrite a newer one.
    await lock.acquire(30_000);
    try {
      const decision = judgeCheckpoint(request, { signer, logs, now: clock.now() }, lookUp);
      if (decision.evidence) await keepEvidence(files, decision.evidence);
      if (decision.remember) {
        const path = pathOf(decision.remember.origin);
        await files.write(new Map([[`${path}.new`, decision.remember.note]]));
        await files.publish(`${path}.new`, path);
      }
      return decision.response;
    } finally {
      lock.release();
    }
  };
  return {
    verifierKey: verifierKeyText(signer),
    verifier: signer,
    addCheckpoint(request) {
      const answered = turns.then(() => answer(request));
      turns = answered.catch(() => undefined);
      return answered;
    },
    checkpoint: lookUp,
    async close() {
      await turns;
      lock.close();
    },
  };
}

async function keepEvidence(
  files: DurableDirectory,
  evidence: NonNullable<WitnessDecision["evidence"]>,
): Promise<void> {
  const name = createHash("sha256").update(evidence.request).digest("hex");
  const content = {
    origin: evidence.origin,
    known: evidence.known,
    request: encodeBase64(Buffer.from(evidence.request)),
  };
  await files.write(new Map([[`evidence/${name}.json`, `${JSON.stringify(content, undefined, 2)}\n`]]));
}
