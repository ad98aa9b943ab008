import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** The root directory of this repository. */
export const repositoryRoot = realpathSync(join(import.meta.dirname, ".."));

/** The one version of all packages. */
export function repositoryVersion(): string {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
