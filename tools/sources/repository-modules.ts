import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import { parseModule, type SourceModule } from "./module.ts";

/** Directories that hold sources of ours. */
const roots = ["packages", "attacks", "requirements", "bench", "conformance", "tools"];

let parsed: readonly SourceModule[] | undefined;

/** Every TypeScript file of the repository, parsed once. */
export function repositoryModules(): readonly SourceModule[] {
  parsed ??= sourcePaths(/\.ts$/).map((path) => parseModule(path));
  return parsed;
}

/** Paths of the files below the source directories whose names match, sorted. */
export function sourcePaths(name: RegExp): string[] {
  const paths: string[] = [];
  for (const root of roots) collect(root, name, paths);
  return paths.sort();
}

function collect(directory: string, name: RegExp, into: string[]): void {
  let entries: ReturnType<typeof listing>;
  try {
    entries = listing(directory);
  } catch {
    return; // Not every root is there on every floor.
  }
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory() && !["node_modules", "dist", "testdata"].includes(entry.name)) collect(path, name, into);
    if (entry.isFile() && name.test(entry.name)) into.push(path);
  }
}

function listing(directory: string) {
  return readdirSync(join(repositoryRoot, directory), { withFileTypes: true });
}
