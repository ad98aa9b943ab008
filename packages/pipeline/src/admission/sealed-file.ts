import { createHash } from "node:crypto";
import { accessSync, closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import { homeAdmissionErrors } from "./errors.ts";

/** A private copy of a file, which has no name and which nobody can write any more. */
export interface SealedFile {
  readonly digest: Digest;
  readonly bytes: number;
  /** Open for reading; whoever is given it sees the bytes that were hashed. */
  readonly descriptor: number;
  /** A script is started by its interpreter, which reads it by descriptor. */
  readonly form: "program" | "script" | "other";
  close(): void;
}

const MAX_BYTES = 4 * 1024 * 1024 * 1024;
/** `O_TMPFILE` of Linux: a file that no directory ever named. */
const unnamed = 0o20000000 | (constants.O_DIRECTORY ?? 0);

/**
 * Copies a file into a new one without a name below `directory`, and hashes what was copied, after the last writer was
 * closed. What happens to the named file from then on changes nothing. SPEC H1
 * @throws HOST_GATE_UNREADABLE | HOST_GATE_UNSUPPORTED
 */
export function sealFile(path: string, directory: string): SealedFile {
  const source = openedForReading(path);
  let writer: number | undefined;
  let descriptor: number;
  try {
    writer = newUnnamed(directory);
    copy(source, writer, path);
    descriptor = openSync(`/proc/self/fd/${writer}`, "r");
  } finally {
    closeSync(source);
    if (writer !== undefined) closeSync(writer);
  }
  try {
    // A program with a writer cannot be executed (ETXTBSY), so from here on the bytes stay as they are hashed.
    return { ...hashed(descriptor), descriptor, close: () => closeSync(descriptor) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** True when the kernel lets the copy be executed: its place may forbid it for all files. */
export function isExecutable({ descriptor }: SealedFile): boolean {
  try {
    accessSync(`/proc/self/fd/${descriptor}`, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function openedForReading(path: string): number {
  let opened: number;
  try {
    // Never waits for the other end of a pipe.
    opened = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw homeAdmissionErrors.make("HOST_GATE_UNREADABLE", `cannot read ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const stat = fstatSync(opened);
  if (stat.isFile() && stat.size <= MAX_BYTES) return opened;
  closeSync(opened);
  throw homeAdmissionErrors.make(
    "HOST_GATE_UNREADABLE",
    `expected a file of at most ${MAX_BYTES} bytes, found ${path}`,
  );
}

function newUnnamed(directory: string): number {
  try {
    return openSync(directory, unnamed | constants.O_RDWR, 0o700);
  } catch (cause) {
    throw homeAdmissionErrors.make(
      "HOST_GATE_UNSUPPORTED",
      `expected a file system of Linux that holds files without a name at ${directory}`,
      { cause },
    );
  }
}

function copy(source: number, target: number, path: string): void {
  const piece = Buffer.allocUnsafe(1024 * 1024);
  let total = 0;
  for (let read = readSync(source, piece); read > 0; read = readSync(source, piece)) {
    total += read;
    // A file that grows while it is read never ends.
    if (total > MAX_BYTES) throw homeAdmissionErrors.make("HOST_GATE_UNREADABLE", `${path} grows while it is read`);
    for (let written = 0; written < read; ) written += writeSync(target, piece, written, read - written);
  }
}

function hashed(descriptor: number): Pick<SealedFile, "digest" | "bytes" | "form"> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(1024 * 1024);
  let position = 0;
  let begin = "";
  for (;;) {
    const read = readSync(descriptor, piece, 0, piece.length, position);
    if (read === 0) break;
    if (position === 0) begin = piece.subarray(0, Math.min(4, read)).toString("latin1");
    hash.update(piece.subarray(0, read));
    position += read;
  }
  return { digest: `sha256:${hash.digest("hex")}`, bytes: position, form: formOf(begin) };
}

function formOf(begin: string): SealedFile["form"] {
  if (begin.startsWith("#!")) return "script";
  return begin === "\u007fELF" ? "program" : "other";
}
