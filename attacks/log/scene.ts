import { generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NoteSigner, type NoteVerifier, noteSigner, parseNote } from "@touchmark/formats";
import { createLogKeys, type LogKeys, openLog, type TransparencyLog } from "@touchmark/log";
import { afterAll } from "vitest";

/** What the attacks on the log are played with: real logs on disk, keys, and readers that check too little. */

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

export interface Scene {
  readonly home: string;
  readonly directory: string;
  readonly keys: LogKeys;
  readonly log: TransparencyLog;
}

/** A log of `size` entries `entry N`. */
export async function sceneOf(size: number, origin = "log.example"): Promise<Scene> {
  const home = mkdtempSync(join(tmpdir(), "touchmark-attack-"));
  made.push(home);
  const directory = join(home, "log");
  const keys = createLogKeys(join(home, "keys"), { origin });
  const log = await openLog({ directory, keys });
  await Promise.all(Array.from({ length: size }, (_, n) => log.append(Buffer.from(`entry ${n}`))));
  return { home, directory, keys, log };
}

/** The log's operator at work on a second history: the same keys, without the memory of what they signed. */
export async function forkOf(scene: Scene, name: string, entries: readonly string[]): Promise<TransparencyLog> {
  const { memory: _, ...copied } = scene.keys;
  const fork = await openLog({ directory: join(scene.home, name), keys: copied });
  await Promise.all(entries.map((entry) => fork.append(Buffer.from(entry))));
  return fork;
}

export function witnessKey(name: string): NoteSigner {
  return noteSigner(name, "cosignature/v1", generateKeyPairSync("ed25519").privateKey);
}

/** A careless reader: one good signature by the right raw key is enough, the text is split and believed. */
export function carelessHead(note: string, key: NoteVerifier): { origin: string; size: number; root: string } {
  const gap = note.lastIndexOf("\n\n");
  const text = note.slice(0, gap + 1);
  const signed = note
    .slice(gap + 2)
    .split("\n")
    .some((line) => {
      const bytes = Buffer.from(line.split(" ")[2] ?? "", "base64").subarray(4);
      return bytes.length === 64 && verify(null, Buffer.from(text), key.publicKey, bytes);
    });
  if (!signed) throw new Error("not signed");
  const [origin = "", size = "", root = ""] = text.split("\n");
  return { origin, size: Number(size), root };
}

/** A careless count of cosignatures: lines are enough. */
export function carelessCosignatures(note: string, witnesses: readonly NoteVerifier[]): number {
  return parseNote(note).signatures.filter((line) => witnesses.some((witness) => witness.name === line.name)).length;
}

/** Code of the error that a call throws, or `accepted`. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
