import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Path of a program on PATH or among the installed peers (`TOUCHMARK_PEERS`), or undefined: then its test is skipped. */
export function findProgram(name: string): string | undefined {
  const peers = process.env.TOUCHMARK_PEERS ?? join(homedir(), ".cache", "touchmark-peers");
  const directories = [join(peers, "bin"), ...(process.env.PATH ?? "").split(delimiter)];
  return directories
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
