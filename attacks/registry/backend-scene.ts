import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fixedClock } from "@touchmark/core";
import { fileRegistryBackend } from "@touchmark/registry";
import { openContentStore, openHome, removeTree } from "@touchmark/store";
import { onTestFinished } from "vitest";

/** A registry in a home, and what its attacker has: the home's files, between two requests. */
export async function backendVictim() {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attack-")));
  const clock = fixedClock(new Date());
  const home = await openHome(join(directory, "home"), { create: true });
  const content = await openContentStore(home);
  const backend = fileRegistryBackend({ home, content, clock });
  onTestFinished(async () => {
    await backend.close();
    await home.close();
    removeTree(directory);
  });
  /** Writes to the database behind the registry's back. */
  const poison = (sql: string, ...values: string[]): void => {
    const database = new DatabaseSync(join(home.paths.registry, "registry.db"));
    database.prepare(sql).run(...values);
    database.close();
  };
  return { directory, home, content, clock, backend, poison };
}

export const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (cause: { code?: unknown }) => cause.code ?? cause,
  );
