import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Digest, isDigest } from "@touchmark/core";
import { storeErrors } from "./errors.ts";
import type { Home } from "./home.ts";

/** The registry's database in a home. Its schema is the registry's own; to the home it promises a view `content (digest)`. */
export function registryDatabase(home: Home): string {
  return join(home.paths.registry, "registry.db");
}

/** What the registry of a home needs of the content store. Answers at the moment of asking, beside writers. */
export class RegistryReferences {
  readonly #path: string;
  #database: DatabaseSync | undefined;

  constructor(home: Home) {
    this.#path = registryDatabase(home);
  }

  /** Every digest that the registry needs. @throws STORE_REGISTRY_UNREADABLE */
  all(): Set<Digest> {
    const found = new Set<Digest>();
    this.#read((database) => {
      for (const row of database.prepare("SELECT digest FROM content").iterate()) {
        const digest = String(row["digest"]);
        if (isDigest(digest)) found.add(digest);
      }
    });
    return found;
  }

  /** True when the registry needs it now. @throws STORE_REGISTRY_UNREADABLE */
  needs(digest: Digest): boolean {
    let found = false;
    this.#read((database) => {
      found = database.prepare("SELECT 1 FROM content WHERE digest = ? LIMIT 1").get(digest) !== undefined;
    });
    return found;
  }

  /** Writes a copy as of one moment to a new file; false when there is no registry. @throws STORE_REGISTRY_UNREADABLE */
  copyTo(file: string): boolean {
    return this.#read((database) => database.prepare("VACUUM INTO ?").run(file));
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** False when there is no registry. One that cannot be read is not taken for one that needs nothing. */
  #read(work: (database: DatabaseSync) => void): boolean {
    try {
      this.#database ??= open(this.#path);
      if (this.#database === undefined) return false;
      work(this.#database);
      return true;
    } catch (cause) {
      // A full disk, or a busy one, says nothing about the database.
      if ((cause as { errcode?: number }).errcode === 13) throw cause;
      throw storeErrors.make(
        "STORE_REGISTRY_UNREADABLE",
        `expected the database of a registry in ${this.#path}, found none that can be read: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}

function open(path: string): DatabaseSync | undefined {
  if (!existsSync(path)) return undefined;
  // Loaded here, so that commands which meet no registry do not pay for SQLite.
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec("PRAGMA trusted_schema = OFF");
  return database;
}
