import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { temporaryBeside, writeAll } from "@touchmark/store";
import type { MirrorLayout } from "./mirror-layout.ts";

/**
 * Documents that are written together, for one wait on the disk. Each appears whole or not at all, in the order given:
 * a crash in between leaves the first ones.
 */
export class DocumentBatch {
  readonly #layout: MirrorLayout;
  readonly #pending = new Map<string, Buffer>();

  constructor(layout: MirrorLayout) {
    this.#layout = layout;
  }

  /** Bytes as they will be once the batch is written. */
  read(path: string): Buffer | undefined {
    return this.#pending.get(path) ?? this.#layout.read(path);
  }

  /** What a document is to be; nothing is done when it is that already. */
  write(path: string, text: string): void {
    const bytes = Buffer.from(text);
    if (this.read(path)?.equals(bytes) !== true) this.#pending.set(path, bytes);
  }

  /**
   * Writes everything; all but what can be made again survives a power cut once this returns. `order` ranks the paths.
   */
  async flush(order: (path: string) => number): Promise<void> {
    const paths = [...this.#pending.keys()].sort((a, b) => order(a) - order(b));
    const staged: { path: string; temporary: string }[] = [];
    const files: string[] = [];
    const directories = new Set<string>();
    try {
      for (const path of paths) {
        const made = this.#layout.makeShard(path);
        const temporary = temporaryBeside(path);
        const descriptor = openSync(temporary, "wx", 0o600);
        staged.push({ path, temporary });
        try {
          writeAll(descriptor, this.#pending.get(path) as Buffer);
        } finally {
          closeSync(descriptor);
        }
        if (this.#layout.isDerived(path)) continue;
        files.push(temporary);
        directories.add(dirname(path));
        if (made) directories.add(dirname(dirname(path)));
      }
      // The journal commits several of these at once, if they wait together.
      await together(files, (file) => sync(file, "r+"));
      for (const { path, temporary } of staged) renameSync(temporary, path);
    } catch (cause) {
      for (const { temporary } of staged) rmSync(temporary, { force: true });
      throw cause;
    }
    // Windows has no such call for directories and needs none.
    if (process.platform !== "win32") await together([...directories], (directory) => sync(directory, "r"));
  }
}

async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Four at a time, as Node's threads are. */
async function together<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}
