import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { openContentStore, openHome, removeTree } from "@touchmark/store";
import { onTestFinished } from "vitest";
import { type FileRegistryBackend, fileRegistryBackend } from "./file-registry.ts";

/** A home with a registry, deleted when the test is done. `open` opens the registry once more, as another process would. */
export async function registryHome() {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-registry-")));
  const clock = fixedClock(new Date());
  const home = await openHome(join(directory, "home"), { create: true });
  const content = await openContentStore(home);
  const opened: FileRegistryBackend[] = [];
  const open = () => {
    const backend = fileRegistryBackend({ home, content, clock });
    opened.push(backend);
    return backend;
  };
  const backend = open();
  onTestFinished(async () => {
    for (const one of opened) await one.close();
    await home.close();
    removeTree(directory);
  });
  return { directory, home, content, clock, backend, open };
}

export const codeOf = (work: Promise<unknown> | (() => unknown)): Promise<unknown> =>
  Promise.resolve()
    .then(() => (typeof work === "function" ? work() : work))
    .then(
      () => "no error",
      (cause: { code?: unknown }) => cause.code ?? cause,
    );

export async function* chunksOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part as string);
}
