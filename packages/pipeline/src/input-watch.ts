import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { TreeEntry } from "@touchmark/core";

/**
 * What the kernel remembers of a file beside its content: a change that is undone again leaves another change time,
 * which no ordinary process can set back.
 */
interface FileMark {
  readonly path: string;
  readonly mark: string;
}

/** Marks of every file of a tree, taken when it was verified. */
export interface InputWatch {
  /** Path of the first file that was touched since; undefined when none was. */
  touched(): string | undefined;
}

/** Marks the files of a tree as they are now. Take the marks before hashing, and ask again once the step is over. */
export function watchInput(root: string, entries: readonly TreeEntry[]): InputWatch {
  const marks = entries.map(({ path }): FileMark => ({ path, mark: markOf(join(root, path)) }));
  return { touched: () => marks.find(({ path, mark }) => markOf(join(root, path)) !== mark)?.path };
}

function markOf(path: string): string {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "absent" : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}
