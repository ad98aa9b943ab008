import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryContentStore, openContentStore, openHome } from "@touchmark/store";
import { onTestFinished } from "vitest";
import { contentStoreContract } from "./content-store-contract.ts";

contentStoreContract("memory", async () => {
  const store = memoryContentStore();
  return { store, corrupt: store.corrupt };
});

contentStoreContract("file system", async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-contract-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const store = await openContentStore(await openHome(join(directory, "home"), { create: true }));
  return {
    store,
    corrupt: (digest, bytes) => {
      chmodSync(store.path(digest), 0o600);
      writeFileSync(store.path(digest), bytes);
    },
  };
});
