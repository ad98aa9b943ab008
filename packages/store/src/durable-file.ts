import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isAbsent, systemCode } from "./system-failure.ts";

/** How to write a file. */
export interface WriteOptions {
  /** Permission bits. Default 0o600. */
  readonly mode?: number;
  /** Whether the file survives a power cut once this returns. Default true. */
  readonly durable?: boolean;
}

/** Marks files that a killed writer may leave behind; readers and backups skip them. */
export const TEMPORARY_PREFIX = ".tmp-";

/** A fresh temporary name beside `path`, on the same file system, so that a rename is atomic. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}-${randomBytes(6).toString("hex")}`);
}

/** Replaces a file so that a reader, and a crash at any moment, sees the old bytes or the new ones whole. */
export function writeFileAtomically(path: string, content: Uint8Array | string, options: WriteOptions = {}): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const temporary = temporaryBeside(path);
  try {
    const descriptor = openSync(temporary, "wx", options.mode ?? 0o600);
    try {
      writeAll(descriptor, bytes);
      if (options.durable !== false) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
  if (options.durable !== false) syncDirectory(dirname(path));
}

/** Writes all bytes at the descriptor's position; one write may be short. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done);
}

/** Makes the names in a directory survive a power cut. Windows has no such call and needs none. */
export function syncDirectory(path: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of a file, or undefined when there is none. */
export function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw cause;
  }
}

/** Makes a private directory; true when it was not there before. */
export function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (cause) {
    if (systemCode(cause) === "EEXIST") return false;
    throw cause;
  }
}
