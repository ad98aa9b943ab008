import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fixedClock } from "@touchmark/core";
import { fileRegistryBackend, memoryRegistryBackend } from "@touchmark/registry";
import { openContentStore, openHome } from "@touchmark/store";
import { onTestFinished } from "vitest";
import { registryBackendContract } from "./registry-contract.ts";

registryBackendContract("memory", async () => {
  const clock = fixedClock(new Date());
  const backend = memoryRegistryBackend({ clock });
  return { backend, clock, corrupt: async (digest, bytes) => backend.corrupt(digest, bytes) };
});

registryBackendContract("file system", async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-contract-"));
  const clock = fixedClock(new Date());
  const home = await openHome(join(directory, "home"), { create: true });
  const content = await openContentStore(home);
  const backend = fileRegistryBackend({ home, content, clock });
  onTestFinished(async () => {
    await backend.close();
    await home.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    backend,
    clock,
    corrupt: async (digest, bytes) => {
      const path = content.path(digest);
      if (!(await content.has(digest))) {
        const database = new DatabaseSync(join(home.paths.registry, "registry.db"));
        if (bytes === undefined) database.prepare("DELETE FROM documents WHERE digest = ?").run(digest);
        else database.prepare("UPDATE documents SET bytes = ? WHERE digest = ?").run(bytes, digest);
        database.close();
      } else if (bytes === undefined) rmSync(path);
      else {
        chmodSync(path, 0o600);
        writeFileSync(path, bytes);
      }
    },
  };
});
