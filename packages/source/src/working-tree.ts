import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { compareTreePaths, sha256, treeDigest } from "@touchmark/core";
import { sourceErrors } from "./errors.ts";
import { checkEmpty, setTimes, writeFileEntry, writeLinks } from "./export-tree.ts";
import type { FetchOptions } from "./fetch-source.ts";
import { runGit } from "./git.ts";
import { lfsPointerLimit, parseLfsPointer } from "./lfs.ts";
import { type ListedEntry, listTree } from "./listing.ts";
import { executableMode, linkMode, type ObjectFormat, objectHash, submoduleMode } from "./object.ts";
import { ObjectReader } from "./object-reader.ts";
import { checkName, defaultSourceLimits } from "./path-rule.ts";
import type { SourceRecord } from "./record.ts";
import { openRepository, readCommit } from "./repository.ts";
import { signatureFacts } from "./signature-facts.ts";
import type { WorkingTreeChange } from "./working-tree-change.ts";

type WorkingTreeOptions = Pick<FetchOptions, "location" | "repositoryStore"> & { readonly revision?: string };

interface Comparison {
  readonly commit: string;
  readonly changes: WorkingTreeChange[];
  /** Paths of the files that make up the working tree: those of the commit that are still there, and the untracked. */
  readonly present: string[];
  readonly listed: ReadonlyMap<string, ListedEntry>;
}

/**
 * How the files of a working tree differ from its HEAD. Files are compared by content, never by size and time, so a
 * file that was changed behind git's back and given its old time is found too; marks in the index that hide changes
 * (assume-unchanged, skip-worktree) mean nothing. Empty when the tree is clean, and for a bare or remote repository.
 */
export async function workingTreeChanges(options: WorkingTreeOptions): Promise<WorkingTreeChange[]> {
  return (await compare(options)).changes;
}

/** Refuses a working tree with changes. @throws SOURCE_WORKING_TREE_CHANGED */
export async function requireCleanWorkingTree(options: WorkingTreeOptions): Promise<void> {
  const changes = await workingTreeChanges(options);
  const [first] = changes;
  if (first === undefined) return;
  const more = changes.length > 1 ? ` and ${changes.length - 1} more` : "";
  throw sourceErrors.make(
    "SOURCE_WORKING_TREE_CHANGED",
    `expected a working tree equal to its commit, found ${JSON.stringify(first.path)} ${first.change}${more}`,
  );
}

/**
 * Fills a directory with the working tree as it is, changes and untracked files included, for
 * `--insecure-working-tree`. The record says so: `workingTree` is true and `changedFiles` lists what no commit has.
 */
export async function fetchWorkingTree(options: Omit<FetchOptions, "revision">): Promise<SourceRecord> {
  checkEmpty(options.directory);
  const { commit: id, changes, present, listed } = await compare(options);
  const repository = openRepository(options);
  const root = repository.local?.workingTree ?? "";
  const limits = { ...defaultSourceLimits, ...options.limits };
  const place = await repository.place(id);
  const reader = new ObjectReader(place);
  try {
    const commit = await readCommit(reader, id);
    const seconds = commit.committer.at.getTime() / 1000;
    const entries: SourceRecord["entries"][number][] = [];
    const links = new Map<string, string>();
    const made = new Set<string>([""]);
    let bytes = 0;
    if (present.length > limits.entries)
      throw sourceErrors.make("SOURCE_TOO_MANY_FILES", `expected at most ${limits.entries} files`);
    for (const path of present) {
      for (const name of path.split("/")) checkName(name, path);
      makeParents(options.directory, path, made);
      const read = readEntry(root, path, limits.fileBytes);
      if (read === undefined) continue;
      bytes += read.content.length;
      if (bytes > limits.totalBytes)
        throw sourceErrors.make("SOURCE_TOO_LARGE", `expected at most ${limits.totalBytes} bytes in all`);
      if (read.kind === "symlink") {
        links.set(path, read.content.toString("utf8"));
        entries.push({ path, kind: "symlink", size: read.content.length, digest: sha256(read.content) });
      } else entries.push(writeFileEntry(options.directory, path, read.content, read.kind === "executable", seconds));
    }
    if ([...listed.values()].some((entry) => entry.mode === submoduleMode)) {
      throw sourceErrors.make(
        "SOURCE_SUBMODULE_UNDECLARED",
        "expected no submodule in a working tree that is built as it is",
      );
    }
    writeLinks(options.directory, links);
    entries.sort((a, b) => compareTreePaths(a.path, b.path));
    setTimes(options.directory, entries, seconds);
    return {
      uri: repository.location.uri,
      revision: "HEAD",
      objectFormat: place.format,
      commit: id,
      parents: commit.parents,
      tree: commit.tree,
      treeDigest: treeDigest(entries),
      entries,
      bytes,
      author: commit.author,
      committer: commit.committer,
      committedAt: commit.committer.at,
      signature: await signatureFacts(commit, options.signers ?? {}),
      submodules: [],
      lfs: [],
      workingTree: true,
      changedFiles: changes,
    };
  } finally {
    reader.close();
  }
}

async function compare(options: WorkingTreeOptions): Promise<Comparison> {
  const repository = openRepository(options);
  const root = repository.local?.workingTree;
  const { commit } = await repository.resolve(options.revision ?? "HEAD");
  if (root === undefined) return { commit, changes: [], present: [], listed: new Map() };
  const place = await repository.place(commit);
  const reader = new ObjectReader(place);
  try {
    const { tree } = await readCommit(reader, commit);
    const listing = await listTree(reader, tree, defaultSourceLimits);
    const listed = new Map(listing.entries.map((entry) => [entry.path, entry]));
    const changes: WorkingTreeChange[] = [];
    const present: string[] = [];
    const pending: ListedEntry[] = [];
    for (const entry of listing.entries) {
      if (entry.mode === submoduleMode) continue;
      const read = readEntry(root, entry.path, Number.POSITIVE_INFINITY);
      if (read === undefined) {
        changes.push({ path: entry.path, change: "deleted" });
        continue;
      }
      present.push(entry.path);
      const isLink = read.kind === "symlink";
      if (isLink !== (entry.mode === linkMode)) changes.push({ path: entry.path, change: "modified" });
      else if (objectId(place.format, read.content) !== entry.id) pending.push(entry);
      else if (!isLink && (read.kind === "executable") !== (entry.mode === executableMode)) {
        changes.push({ path: entry.path, change: "mode" });
      }
    }
    for (const entry of pending) {
      if (!(await isConversion(reader, root, entry, place.format)))
        changes.push({ path: entry.path, change: "modified" });
    }
    for (const path of await untracked(place.gitDirectory, repository.local?.gitDirectory ?? "", root)) {
      if (listed.has(path)) continue;
      changes.push({ path, change: "untracked" });
      if (!path.endsWith("/")) present.push(path);
    }
    changes.sort((a, b) => compareTreePaths(a.path, b.path));
    present.sort(compareTreePaths);
    return { commit, changes, present, listed };
  } finally {
    reader.close();
  }
}

// What a checkout of the same commit may do to a file: other line ends, and the content of an LFS pointer.
async function isConversion(
  reader: ObjectReader,
  root: string,
  entry: ListedEntry,
  format: ObjectFormat,
): Promise<boolean> {
  const content = readEntry(root, entry.path, Number.POSITIVE_INFINITY)?.content;
  if (content === undefined) return false;
  if (content.includes("\r\n")) {
    const unix = Buffer.from(content.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    if (objectId(format, unix) === entry.id) return true;
  }
  const { bytes } = await reader.read(entry.id, lfsPointerLimit).catch(() => ({ bytes: Buffer.alloc(0) }));
  return parseLfsPointer(bytes)?.digest === sha256(content);
}

function objectId(format: ObjectFormat, content: Buffer): string {
  return objectHash(format, "blob", content.length).update(content).digest("hex");
}

/**
 * Files that git would call untracked, with those of the user's index. It is asked in a repository of ours, so that
 * the configuration of the user's, which can name a program (core.fsmonitor), is not read.
 */
async function untracked(skeleton: string, gitDirectory: string, root: string): Promise<string[]> {
  const args = [
    "--work-tree",
    root,
    "ls-files",
    "-z",
    "--others",
    "--exclude-standard",
    "--exclude-from",
    join(gitDirectory, "info/exclude"),
  ];
  const exclude = lstatSync(join(gitDirectory, "info/exclude"), { throwIfNoEntry: false });
  const given = exclude?.isFile() ? args : args.slice(0, -2);
  const plain = await runGit(skeleton, ["-C", root, ...given], { environment: { GIT_CEILING_DIRECTORIES: root } });
  if (plain.exitCode !== 0) {
    throw sourceErrors.make("SOURCE_GIT_FAILED", `git could not list untracked files: ${plain.stderr.slice(0, 200)}`);
  }
  return plain.stdout.toString("utf8").split("\0").filter(Boolean);
}

function readEntry(
  root: string,
  path: string,
  limitBytes: number,
): { kind: "file" | "executable" | "symlink"; content: Buffer } | undefined {
  // A parent that is a link leads elsewhere: then the file of this path is gone.
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
    if (!lstatSync(join(root, path.slice(0, end)), { throwIfNoEntry: false })?.isDirectory()) return undefined;
  }
  const state = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (state?.isSymbolicLink())
    return { kind: "symlink", content: readlinkSync(join(root, path), { encoding: "buffer" }) };
  if (!state?.isFile()) return undefined;
  if (state.size > limitBytes) {
    throw sourceErrors.make(
      "SOURCE_TOO_LARGE",
      `${JSON.stringify(path)}: expected at most ${limitBytes} bytes, found ${state.size}`,
    );
  }
  const file = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) return undefined;
    return { kind: state.mode & 0o100 ? "executable" : "file", content: readFileSync(file) };
  } finally {
    closeSync(file);
  }
}

function makeParents(directory: string, path: string, made: Set<string>): void {
  const parent = dirname(path);
  if (parent === "." || made.has(parent)) return;
  makeParents(directory, parent, made);
  mkdirSync(join(directory, parent));
  chmodSync(join(directory, parent), 0o755);
  made.add(parent);
}
