import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Home, openHome, removeTree } from "@touchmark/store";
import { onTestFinished } from "vitest";

/** A directory that is deleted when the test is done. */
export function freshDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attack-")));
  onTestFinished(() => {
    removeTree(directory);
  });
  return directory;
}

/** A home to attack. */
export function freshHome(): Promise<Home> {
  return openHome(join(freshDirectory(), "home"), { create: true });
}

/** What a hostile step left: text is a file, `->x` a link. */
export function plant(directory: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    if (content.startsWith("->")) symlinkSync(content.slice(2), join(directory, path));
    else writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** The code that the defence answers with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (cause) {
    return String((cause as { code?: unknown }).code ?? cause);
  }
  return "accepted";
}
