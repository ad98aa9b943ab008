import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { cliErrors } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

/** Reads a file that the command line names. @throws CLI_FILE_UNREADABLE */
export function readNamedFile(terminal: Terminal, file: string, what: string): Buffer {
  try {
    return readFileSync(resolve(terminal.directory, file));
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected ${what}, found ${file}: ${codeOf(cause)}`, { cause });
  }
}

/** Writes a file that the command line names. @throws CLI_FILE_UNWRITABLE */
export function writeNamedFile(terminal: Terminal, file: string, content: Uint8Array | string): string {
  const path = resolve(terminal.directory, file);
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNWRITABLE", `cannot write ${file}: ${codeOf(cause)}`, { cause });
  }
  return path;
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
