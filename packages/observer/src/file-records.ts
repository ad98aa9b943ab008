import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import type { DigestCache } from "./digest-cache.ts";
import type { LossRecord } from "./losses.ts";
import type { MountMap } from "./mount-map.ts";
import type { ObservedFile, ObservedFiles, ObservedStep } from "./observation.ts";
import { loaderOf } from "./program-loader.ts";
import type { StepRecorder } from "./step-recorder.ts";
import { displayName, fileName, toBytes } from "./trace-text.ts";

const SAMPLE = 1000;

/** A file as it lay there before the step, and the program that executing it starts. */
export interface HashedFile {
  readonly file: ObservedFile;
  readonly loader: string | undefined;
}

/** Finds and hashes files as they lay there before the step. */
export class FileHasher {
  readonly #mounts: MountMap;
  readonly #digests: DigestCache;
  readonly #losses: LossRecord;
  readonly #known = new Map<string, HashedFile | undefined>();

  constructor(mounts: MountMap, digests: DigestCache, losses: LossRecord) {
    this.#mounts = mounts;
    this.#digests = digests;
    this.#losses = losses;
  }

  /** The record of an earlier file; undefined when there was none or it is no file. With `required` that is a loss. */
  file(base: string, required: boolean): HashedFile | undefined {
    if (this.#known.has(base)) return this.#known.get(base);
    const found = this.#find(base, required);
    if (found !== undefined || required) this.#known.set(base, found);
    return found;
  }

  #find(base: string, required: boolean): HashedFile | undefined {
    const { origin, host, entries, relative } = this.#mounts.locate(base);
    const path = displayName(base);
    const none = (from: ObservedFile["origin"]): HashedFile => ({
      file: { path, origin: from, digest: undefined, digestTime: "none" },
      loader: undefined,
    });
    if (host === undefined || origin === "output") return required ? none("private") : undefined;
    if (entries !== undefined && relative !== undefined) {
      const entry = entries.get(relative);
      if (entry?.kind === "file" || entry?.kind === "executable")
        return {
          file: { path, origin, digest: entry.digest, digestTime: "before-use" },
          loader: entry.kind === "executable" ? loaderOf(headOf(host)) : undefined,
        };
    } else {
      const found = this.#digests.digest(host);
      if (found !== undefined)
        return { file: { path, origin, digest: found.digest, digestTime: "after-use" }, loader: found.loader };
    }
    if (!required || isDirectory(host)) return undefined;
    this.#losses.add("FILE_UNHASHED", path);
    return none(origin);
  }
}

/** Sorts what the ledger holds into what was read, written, deleted and only made for a while. */
export function fileRecords(
  recorder: StepRecorder,
  mounts: MountMap,
  hasher: FileHasher,
  step: ObservedStep,
): ObservedFiles {
  const { files, losses } = recorder;
  const read = new Map<string, ObservedFile>();
  const deleted: ObservedFile[] = [];
  const directories = new Set<string>();
  const made = new Set<string>();
  for (const [path, node] of files.tree.walk())
    if (files.isMade(node) && !node.directory && node.children.size === 0) made.add(path);

  for (const [base, use] of files.before) {
    if (use.listed) directories.add(base || "/");
    if (mounts.locate(base).origin === "output") {
      if (use.read && !made.has(base) && !files.removed.has(base) && !isDirectory(mounts.locate(base).host ?? ""))
        losses.add("OUTPUT_UNEXPLAINED", `${displayName(base)} was read, and no call made it`);
      continue;
    }
    const used = use.read || use.executed;
    const found = used || use.replaced ? hasher.file(base, used && !use.maybe) : undefined;
    if (found === undefined) {
      if (use.read && !use.maybe) directories.add(base || "/");
      continue;
    }
    if (used) read.set(base, use.executed ? { ...found.file, executed: true } : found.file);
    if (use.replaced) deleted.push(found.file);
    if (use.executed) addLoaders(recorder, hasher, found.loader, read);
  }
  for (const path of files.kernel)
    read.set(path, { path: displayName(path), origin: "kernel", digest: undefined, digestTime: "none" });

  const survivors = outputFiles(step);
  const written: ObservedFile[] = [];
  for (const path of survivors) {
    if (made.has(path))
      written.push({ path: displayName(path), origin: "output", digest: undefined, digestTime: "none" });
    else losses.add("OUTPUT_UNEXPLAINED", `${displayName(path)} was made by no traced call`);
  }
  const transient = new Set<string>();
  for (const path of made) if (!survivors.has(path)) transient.add(path);
  for (const [path, base] of files.removed)
    if (!made.has(path) && (base === undefined || hasher.file(base, false) === undefined)) transient.add(path);
  return {
    read: byPath([...read.values()]),
    written: byPath(written),
    deleted: byPath(deleted),
    transient: sampled(transient),
    directories: sampled(directories),
  };
}

/** The kernel opens a program's interpreter or loader by itself; a script's interpreter has a loader in turn. */
function addLoaders(
  recorder: StepRecorder,
  hasher: FileHasher,
  first: string | undefined,
  read: Map<string, ObservedFile>,
): void {
  let loader = first;
  for (let depth = 0; loader !== undefined && depth < 5; depth++) {
    const node = loader.startsWith("/") ? recorder.files.tree.resolve(loader, true) : undefined;
    if (node?.base === undefined) return;
    const found = hasher.file(node.base, true);
    if (found === undefined) return;
    read.set(node.base, { ...found.file, executed: true });
    loader = found.loader;
  }
}

/** Files and links of the output directory, by their paths inside. */
function outputFiles(step: ObservedStep): Set<string> {
  const found = new Set<string>();
  const at = toBytes(step.output.at).replace(/\/+$/, "");
  const pending: [Buffer, string][] = [[Buffer.from(step.output.host), at]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [host, path] = next;
    let entries: import("node:fs").Dirent<Buffer>[];
    try {
      entries = readdirSync(host, { withFileTypes: true, encoding: "buffer" });
    } catch {
      continue;
    }
    for (const entry of entries) {
      const inside = `${path}/${entry.name.toString("latin1")}`;
      if (entry.isDirectory()) pending.push([Buffer.concat([host, Buffer.from("/"), entry.name]), inside]);
      else if (entry.isFile() || entry.isSymbolicLink()) found.add(inside);
    }
  }
  return found;
}

function byPath(files: ObservedFile[]): ObservedFile[] {
  return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function sampled(paths: ReadonlySet<string>): { count: number; sample: string[] } {
  return { count: paths.size, sample: [...paths].sort().slice(0, SAMPLE).map(displayName) };
}

function isDirectory(host: string): boolean {
  try {
    return statSync(fileName(host)).isDirectory();
  } catch {
    return false;
  }
}

function headOf(host: string): Buffer {
  const head = Buffer.alloc(4096);
  try {
    const fd = openSync(fileName(host), "r");
    try {
      return head.subarray(0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    return head.subarray(0, 0);
  }
}
