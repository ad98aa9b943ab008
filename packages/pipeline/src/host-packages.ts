import { join } from "node:path";
import { openPackageDatabase } from "@touchmark/observer";
import type { PackageFacts } from "./evidence/run-statements.ts";
import type { Factory } from "./factory.ts";

/** The packages that own the files of the host that a run used. Answers are kept while the host's database stays the same. */
export function hostPackages(factory: Factory, paths: readonly string[]): PackageFacts {
  const database = openPackageDatabase({ cache: join(factory.home.paths.cache, "host-packages") });
  const owners = new Map<string, string>();
  const packages = new Map<string, { name: string; version: string; architecture: string }>();
  for (const path of new Set(paths)) {
    const owner = database.owner(path);
    if (owner === undefined) continue;
    owners.set(path, owner.name);
    packages.set(`${owner.name}:${owner.architecture}`, owner);
  }
  database.save();
  return {
    // A database that is not read here says nothing, and neither does the statement.
    manager: database.manager === "unknown" ? "none" : database.manager,
    list: [...packages.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    ownerOf: (path) => owners.get(path),
  };
}
