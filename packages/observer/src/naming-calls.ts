import type { FileLedger } from "./file-ledger.ts";
import type { LossRecord } from "./losses.ts";
import type { Task } from "./process-table.ts";
import { splitArguments } from "./trace-line.ts";
import { descriptor, directoryOf, quotedText } from "./trace-text.ts";

/** Calls that change names or, like truncate, reach a file by name without an open. */
export const namingCalls: ReadonlySet<string> = new Set(
  "rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat symlink symlinkat mknod mknodat truncate".split(
    " ",
  ),
);

/** Reads calls that change names and tells the ledger. SPEC.md, O7-O8. */
export class NamingCalls {
  readonly #files: FileLedger;
  readonly #losses: LossRecord;

  constructor(files: FileLedger, losses: LossRecord) {
    this.#files = files;
    this.#losses = losses;
  }

  /** The directory that these names were relative to is never going to be known. */
  giveUp(task: Task): void {
    for (const _ of task.deferred.splice(0))
      this.#losses.add("NAME_UNRESOLVED", `a relative name used by process ${task.tid}, whose directory is not known`);
  }

  /** A call that ended; `text` is its line. */
  call(task: Task, name: string, args: string, result: string, text: string): void {
    if (result !== "0") {
      if (result.startsWith("-1 E")) return;
      if (result.startsWith("?")) {
        if (!result.startsWith("? ERESTART")) this.#losses.add("CALL_UNFINISHED", `${name} of process ${task.tid}`);
        return;
      }
      this.#losses.add("LINE_UNPARSED", text);
      return;
    }
    const parts = splitArguments(args);
    if (task.directory.path === undefined && parts.some((part) => part.startsWith('"') && !part.startsWith('"/'))) {
      // Most programs soon make a call that shows their directory.
      const unknown = !parts.some((part) => descriptor(part) !== undefined);
      if (unknown) {
        task.deferred.push(() => this.call(task, name, args, result, text));
        return;
      }
    }
    const name1 = (at: number) => this.#nameOf(task, parts[at], undefined, text);
    const nameAt = (directory: number) => this.#nameOf(task, parts[directory + 1], parts[directory], text);
    const files = this.#files;
    const one = (path: string | undefined, act: (path: string) => void) => {
      if (path !== undefined) act(path);
    };
    const two = (a: string | undefined, b: string | undefined, act: (a: string, b: string) => void) => {
      if (a !== undefined && b !== undefined) act(a, b);
    };
    switch (name) {
      case "unlink":
      case "rmdir":
        return one(name1(0), (path) => files.deleted(path));
      case "unlinkat":
        return one(nameAt(0), (path) => files.deleted(path));
      case "mkdir":
        return one(name1(0), (path) => files.made(path, { directory: true }));
      case "mkdirat":
        return one(nameAt(0), (path) => files.made(path, { directory: true }));
      case "mknod":
        return one(name1(0), (path) => files.made(path));
      case "mknodat":
        return one(nameAt(0), (path) => files.made(path));
      case "truncate":
        return one(name1(0), (path) => files.truncated(path));
      case "rename":
        return two(name1(0), name1(1), (a, b) => files.renamed(a, b, false));
      case "renameat":
      case "renameat2":
        return two(nameAt(0), nameAt(2), (a, b) => files.renamed(a, b, parts[4]?.includes("RENAME_EXCHANGE") ?? false));
      case "symlink":
        return one(name1(1), (path) => files.made(path, { link: quotedText(parts[0] ?? "")?.text ?? "" }));
      case "symlinkat":
        return one(nameAt(1), (path) => files.made(path, { link: quotedText(parts[0] ?? "")?.text ?? "" }));
      case "link":
        return two(name1(0), name1(1), (a, b) => files.linked(a, b, false));
      case "linkat":
        return this.#linkedAt(task, parts, text);
    }
  }

  #linkedAt(task: Task, parts: readonly string[], text: string): void {
    const to = this.#nameOf(task, parts[3], parts[2], text);
    if (to === undefined) return;
    const from = descriptor(parts[0] ?? "");
    const given = quotedText(parts[1] ?? "");
    if (given?.text === "" && from !== undefined && !from.current)
      return this.#files.linked(from.deleted ? undefined : from.path, to, false);
    // Through /proc/self/fd: the file is one that was opened, most often without a name (O_TMPFILE).
    if (given !== undefined && /^\/(?:proc|dev)\//.test(given.text)) return this.#files.linked(undefined, to, false);
    const source = this.#nameOf(task, parts[1], parts[0], text);
    if (source !== undefined) this.#files.linked(source, to, parts[4]?.includes("AT_SYMLINK_FOLLOW") ?? false);
  }

  #nameOf(task: Task, name: string | undefined, directory: string | undefined, text: string): string | undefined {
    const given = quotedText(name ?? "");
    const from = directory === undefined ? undefined : descriptor(directory);
    if (given === undefined || given.cut) {
      this.#losses.add("NAME_UNRESOLVED", text);
      return undefined;
    }
    const path = this.join(task, given.text, from === undefined ? undefined : directoryOf(from));
    if (path === undefined) this.#losses.add("NAME_UNRESOLVED", text);
    return path;
  }

  /** Makes a name absolute. Names through /proc/self/cwd and /proc/self/root are spelled out; other such ones are not known. */
  join(task: Task, name: string, directory: string | undefined): string | undefined {
    const base = directory ?? task.directory.path;
    let path = name;
    if (name.startsWith("/proc/self/cwd/")) path = `${task.directory.path ?? ""}/${name.slice(15)}`;
    else if (name.startsWith("/proc/self/root/")) path = name.slice(15);
    else if (/^\/proc\/(?:self|thread-self|\d+)\/(?:cwd|root|fd|task)(?:\/|$)/.test(name)) return undefined;
    if (path.startsWith("/")) return path;
    return base === undefined || !base.startsWith("/") ? undefined : `${base}/${path}`;
  }
}
