import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { identityErrors } from "./errors.ts";

const MAX_FILE_BYTES = 1024 * 1024;
const temporaryPrefix = ".half-written-";

/** Makes a directory that only its owner may enter, with its parents. @throws DIRECTORY_EXPOSED */
export function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { mode } = lstatSync(directory);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw identityErrors.make(
      "DIRECTORY_EXPOSED",
      `expected mode 0700 at ${directory}, found ${(mode & 0o777).toString(8)}`,
    );
  }
}

/**
 * Writes a file that appears whole or not at all, mode 0600, durable on return.
 * `exclusive`: false when a file is already there, which then stays as it is; otherwise it is replaced.
 */
export function writeDurably(path: string, content: string | Uint8Array, mode: "exclusive" | "replace"): boolean {
  const temporary = join(dirname(path), `${temporaryPrefix}${randomBytes(8).toString("hex")}`);
  const bytes = Buffer.from(content);
  const file = openSync(temporary, "wx", 0o600);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    if (mode === "replace") renameSync(temporary, path);
    // A link, unlike a rename, never replaces what another process made meanwhile.
    else linkSync(temporary, path);
  } catch (cause) {
    if (mode === "exclusive" && (cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  } finally {
    if (mode === "exclusive") unlinkSync(temporary);
  }
  syncDirectory(dirname(path));
  return true;
}

function syncDirectory(directory: string): void {
  // Windows cannot open directories; its rename is durable with the file system's journal.
  if (process.platform === "win32") return;
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Removes what a killed writer left behind. Only files older than a minute: another writer may be at work. */
export function removeHalfWritten(directory: string, now: number): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const path = join(directory, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status !== undefined && now - status.mtimeMs > 60_000) rmSync(path, { force: true });
  }
}

/** Reads a small regular file; undefined when it is missing. @throws KEY_FILE_EXPOSED | KEY_FILE_DAMAGED */
export function readPrivateFile(path: string): string | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  if (!status.isFile() || status.size > MAX_FILE_BYTES) {
    throw identityErrors.make("KEY_FILE_DAMAGED", `expected a small regular file at ${path}`);
  }
  if (process.platform !== "win32" && (status.mode & 0o077) !== 0) {
    throw identityErrors.make(
      "KEY_FILE_EXPOSED",
      `expected mode 0600 at ${path}, found ${(status.mode & 0o777).toString(8)}`,
    );
  }
  return readFileSync(path, "utf8");
}
