import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { memoryMirror, openMirror } from "@touchmark/materials";
import { openContentStore, openHome } from "@touchmark/store";
import { onTestFinished } from "vitest";
import { mirrorContract } from "./mirror-contract.ts";

mirrorContract("memory", async () => {
  const mirror = memoryMirror(fixedClock("2026-11-21T10:00:00Z"));
  onTestFinished(() => mirror.close());
  return { mirror, corrupt: mirror.corrupt };
});

mirrorContract("file system", async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-contract-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const home = await openHome(join(directory, "home"), { create: true });
  const content = await openContentStore(home);
  const mirror = await openMirror({
    directory: home.paths.materials,
    content,
    clock: fixedClock("2026-11-21T10:00:00Z"),
  });
  return {
    mirror,
    corrupt: (digest, bytes) => {
      const path = content.path(digest);
      if (bytes === undefined) return rmSync(path);
      chmodSync(path, 0o600);
      return writeFileSync(path, bytes);
    },
  };
});
