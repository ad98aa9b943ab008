import { pythonErrors } from "./errors.ts";

const mostFiles = 1_000_000;

/** Files of a distribution and what could not be read of the list. */
export interface OwnedFiles {
  /** Paths in the scanned tree. */
  readonly paths: readonly string[];
  /** How many lie outside of the tree. */
  readonly outside: number;
}

/**
 * Reads a RECORD (PEP 376): CSV of path, digest and size. Paths are relative to `directory`, the one that the
 * distribution is installed into; absolute ones are of the running system's root. @throws SBOM_PYTHON_RECORD
 */
export function readRecord(text: string, directory: string): OwnedFiles {
  const paths: string[] = [];
  let outside = 0;
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    if (paths.length >= mostFiles) throw pythonErrors.make("SBOM_PYTHON_RECORD", `expected at most ${mostFiles} files`);
    const path = inTree(directory, firstField(line));
    if (path === undefined) outside++;
    else paths.push(path);
  }
  return { paths, outside };
}

/** Reads installed-files.txt of an egg-info: a path in each line, relative to the egg-info itself. */
export function readInstalledFiles(text: string, directory: string): OwnedFiles {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const found = lines.slice(0, mostFiles).map((line) => inTree(directory, line));
  const paths = found.filter((path) => path !== undefined);
  return { paths, outside: found.length - paths.length };
}

function firstField(line: string): string {
  if (!line.startsWith('"')) return line.slice(0, line.includes(",") ? line.indexOf(",") : undefined);
  const quoted = /^"((?:[^"]|"")*)"(?:,|$)/.exec(line)?.[1];
  if (quoted === undefined) {
    throw pythonErrors.make("SBOM_PYTHON_RECORD", `expected CSV, found ${JSON.stringify(line.slice(0, 80))}`);
  }
  return quoted.replaceAll('""', '"');
}

function inTree(directory: string, path: string): string | undefined {
  const isAbsolute = path.startsWith("/");
  const segments = isAbsolute || directory === "" ? [] : directory.split("/");
  for (const step of path.split(/[/\\]/)) {
    if (step === "" || step === ".") continue;
    if (step !== "..") segments.push(step);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.length === 0 ? undefined : segments.join("/");
}
