import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Home, openHome } from "./home.ts";
import { removeTree } from "./remove-tree.ts";

/** Directories for tests, deleted when the test that asked for one is done. Imported by tests only. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-store-")));
  onTestFinished(() => {
    removeTree(directory);
  });
  return directory;
}

/** A fresh home for tests. */
export function temporaryHome(): Promise<Home> {
  return openHome(join(temporaryDirectory(), "home"), { create: true });
}

/** Promise of the code that a failing operation fails with, for `expect(await codeOf(…)).toBe("…")`. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (cause) {
    return String((cause as { code?: unknown }).code ?? cause);
  }
  return "no error";
}
