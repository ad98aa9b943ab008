import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { type Checkpoint, type NoteVerifier, openNote, parseCheckpointText } from "@touchmark/formats";

/** Remembers, beside the key and apart from the log, the last checkpoint that the key signed. */
export interface SignedMemory {
  /** The last one; undefined when the key has not signed yet. */
  read(): Checkpoint | undefined;
  /** Called with the lock held, once the checkpoint is durable: the memory is never ahead of the log. */
  write(note: string): void;
}

/** A memory in a file. @throws NOTE_UNTRUSTED, NOTE_MALFORMED on reading a file that the key did not sign */
export function signedMemory(path: string, verifier: NoteVerifier): SignedMemory {
  let known: { note: string; checkpoint: Checkpoint } | undefined;
  return {
    read() {
      let note: string;
      try {
        note = readFileSync(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
      // A power cut may leave a file that was renamed and not flushed empty. It then remembers nothing.
      if (note === "") return undefined;
      if (known?.note !== note) known = { note, checkpoint: parseCheckpointText(openNote(note, [verifier]).text) };
      return known.checkpoint;
    },
    write(note) {
      // Not flushed: it survives the death of the process, which is what can happen between two appends.
      writeFileSync(`${path}.new`, note, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}
