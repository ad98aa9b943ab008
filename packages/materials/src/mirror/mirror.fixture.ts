import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { openContentStore, openHome, openIndex, openRunStore, openTreeStore, removeTree } from "@touchmark/store";
import { onTestFinished } from "vitest";
import type { Mirror } from "./mirror.ts";
import { type MirrorOptions, openMirror } from "./open-mirror.ts";

/** A directory that is deleted when the test is done. */
export function freshDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-mirror-")));
  onTestFinished(() => {
    removeTree(directory);
  });
  return directory;
}

/** A home with a mirror in it, at noon of the day after the samples came. For tests. */
export async function freshMirror() {
  const clock = fixedClock("2026-11-22T12:00:00Z");
  const home = await openHome(join(freshDirectory(), "home"), { create: true });
  const content = await openContentStore(home);
  const options: MirrorOptions = { directory: home.paths.materials, content, clock };
  const mirror: Mirror = await openMirror(options);
  const stores = async () => ({
    home,
    content,
    trees: await openTreeStore(home),
    runs: openRunStore(home, clock),
    index: await openIndex(home),
  });
  return { clock, home, content, options, mirror, stores };
}

/** The code that something fails with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (cause) {
    return String((cause as { code?: unknown }).code ?? cause);
  }
  return "no error";
}
