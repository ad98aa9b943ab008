import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { systemCode } from "@touchmark/store";
import { shown } from "../unpack/tar-field.ts";
import type { ListedEntry } from "../unpack/tree-listing.ts";
import { rootfsErrors } from "./errors.ts";
import type { Stamps } from "./stamps.ts";

/** What a verification did. */
export interface VerifiedTree {
  readonly entries: number;
  /** Files whose content was read. */
  readonly hashed: number;
  /** Entries that no stamp held for. */
  readonly unstamped: number;
}

const buffer = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * Compares a directory with its listing: nothing missing, nothing more, nothing different. With stamps, only what they do
 * not hold for is read. @throws ROOTFS_CHANGED with the path
 */
export function verifyTree(root: string, entries: readonly ListedEntry[], stamps: Stamps | undefined): VerifiedTree {
  let hashed = 0;
  let unstamped = 0;
  let touched: Error | undefined;
  let children: ReadonlyMap<string, readonly string[]> | undefined;
  for (const [index, entry] of entries.entries()) {
    const place = entry.path === "" ? root : `${root}/${entry.path}`;
    const stat = lstatSync(place, { throwIfNoEntry: false });
    if (stat === undefined) throw changed(entry.path, `a ${entry.kind}`, "nothing");
    if (stamps?.holds(index, stat) === true) continue;
    unstamped++;
    checkMetadata(entry, stat);
    if (Math.floor(stat.mtimeMs / 1000) !== entry.mtime) {
      const found = changed(entry.path, `time ${entry.mtime}`, `time ${Math.floor(stat.mtimeMs / 1000)}`);
      // A directory's time tells that something in it changed: what did says more.
      if (entry.kind !== "directory") throw found;
      touched ??= found;
    }
    if (entry.kind === "file") {
      hashed++;
      const found = hashFile(place, entry);
      if (found !== entry.sha256) throw changed(entry.path, `content ${entry.sha256}`, found);
    } else if (entry.kind === "symlink") {
      const found = readlinkSync(place);
      if (found !== entry.target) throw changed(entry.path, `a link to ${entry.target}`, `one to ${found}`);
    } else {
      children ??= namesIn(entries);
      checkNames(place, entry.path, children.get(entry.path) ?? []);
    }
  }
  if (touched !== undefined) throw touched;
  return { entries: entries.length, hashed, unstamped };
}

/** Names in each directory. */
function namesIn(entries: readonly ListedEntry[]): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const { path } of entries) {
    if (path === "") continue;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const names = children.get(parent);
    if (names === undefined) children.set(parent, [path.slice(slash + 1)]);
    else names.push(path.slice(slash + 1));
  }
  return children;
}

function checkMetadata(entry: ListedEntry, stat: Stats): void {
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
        ? "symlink"
        : "special";
  if (kind !== entry.kind) throw changed(entry.path, `a ${entry.kind}`, kind);
  const mode = stat.mode & 0o7777;
  if (kind !== "symlink" && mode !== entry.mode) {
    throw changed(entry.path, `mode ${entry.mode.toString(8)}`, `mode ${mode.toString(8)}`);
  }
  if (kind === "file" && stat.size !== entry.size) {
    throw changed(entry.path, `${entry.size} bytes`, `${stat.size} bytes`);
  }
}

/** A directory with another time may have other names in it. */
function checkNames(place: string, path: string, expected: readonly string[]): void {
  const found = readdirSync(place);
  if (found.length === expected.length) return;
  const known = new Set(expected);
  const extra = found.find((name) => !known.has(name));
  // What is missing is found when its own turn comes; it is not there.
  if (extra !== undefined) throw changed(path === "" ? extra : `${path}/${extra}`, "nothing", "something");
}

function hashFile(place: string, entry: ListedEntry): string {
  let descriptor: number;
  try {
    descriptor = openSync(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const code = systemCode(cause) ?? "";
    if (/^(?:ELOOP|ENOENT|ENXIO|EACCES)$/.test(code)) throw changed(entry.path, "a file", code);
    throw cause;
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw changed(entry.path, "a file", "something else");
    const digest = createHash("sha256");
    let size = 0;
    for (
      let count = readSync(descriptor, buffer);
      count > 0 && size <= entry.size;
      count = readSync(descriptor, buffer)
    ) {
      digest.update(buffer.subarray(0, count));
      size += count;
    }
    return size === entry.size ? digest.digest("hex") : `${size} bytes`;
  } finally {
    closeSync(descriptor);
  }
}

function changed(path: string, expected: string, found: string): Error {
  return rootfsErrors.make(
    "ROOTFS_CHANGED",
    `expected ${shown(expected)} at ${shown(path === "" ? "/" : path)}, found ${shown(found)}`,
  );
}
