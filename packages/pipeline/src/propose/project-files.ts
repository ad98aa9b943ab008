import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a project that say how it is built, read within limits and never through links. */
export class ProjectFiles {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Text of a small file, undefined when there is none. */
  read(path: string): string | undefined {
    const state = lstatSync(join(this.root, path), { throwIfNoEntry: false });
    if (!state?.isFile() || state.size > 16 * 2 ** 20) return undefined;
    return readFileSync(join(this.root, path), "utf8");
  }

  has(path: string): boolean {
    return lstatSync(join(this.root, path), { throwIfNoEntry: false }) !== undefined;
  }

  /** Names in a directory, sorted; empty when there is none. */
  list(path: string): string[] {
    const state = lstatSync(join(this.root, path), { throwIfNoEntry: false });
    return state?.isDirectory() ? readdirSync(join(this.root, path)).sort() : [];
  }
}
