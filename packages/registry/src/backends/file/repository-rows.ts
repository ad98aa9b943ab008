import type { RegistryDatabase } from "./registry-database.ts";

/** Row number of a repository; `create` makes one, inside a write. */
export function repositoryId(database: RegistryDatabase, name: string, create: true): number;
export function repositoryId(database: RegistryDatabase, name: string, create?: boolean): number | undefined;
export function repositoryId(database: RegistryDatabase, name: string, create = false): number | undefined {
  const row = database.get("SELECT id FROM repositories WHERE name = ?", name);
  if (row !== undefined) return Number(row["id"]);
  if (!create) return undefined;
  database.run("INSERT INTO repositories (name) VALUES (?)", name);
  return repositoryId(database, name);
}
