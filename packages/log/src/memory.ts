import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import { type Checkpoint, type NoteVerifier, openNote, parseCheckpointText } from "@touchmark/formats/log";

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
  const read = (): Checkpoint | undefined => {
    let note: string;
    try {
      note = readFileSync(path, "utf8").split("\0", 1)[0] as string;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    // A power cut may leave the first write of all undone. The file then remembers nothing.
    if (note === "") return undefined;
    if (known?.note !== note) known = { note, checkpoint: parseCheckpointText(openNote(note, [verifier]).text) };
    return known.checkpoint;
  };
  return {
    read() {
      try {
        return read();
      } catch (error) {
        // Reading takes no lock, and may have met a write half way. A file that is bad stays bad.
        if (!isFactoryError(error)) throw error;
        return read();
      }
    },
    write(note) {
      // One write in place, ended by NUL: nothing can come between, and creating a file would cost as much as flushing
      // one. Not flushed: it survives the death of the process, which is what can happen between two appends.
      const fd = openSync(path, constants.O_CREAT | constants.O_WRONLY, 0o600);
      try {
        writeSync(fd, `${note}\0`, 0);
      } finally {
        closeSync(fd);
      }
      known = { note, checkpoint: parseCheckpointText(note.slice(0, note.lastIndexOf("\n\n") + 1)) };
    },
  };
}
