import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  futimesSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Digest, directoryEntry, sha256, type TreeEntry } from "@touchmark/core";
import { sourceErrors } from "./errors.ts";
import { type LfsPointer, lfsPointerLimit, parseLfsPointer } from "./lfs.ts";
import { checkLinks } from "./link-rule.ts";
import type { ListedEntry, TreeListing } from "./listing.ts";
import { executableMode, linkMode } from "./object.ts";
import type { ObjectReader, ObjectSink } from "./object-reader.ts";
import type { SourceLimits } from "./path-rule.ts";

/** What came out of writing one tree. */
export interface ExportedTree {
  readonly entries: TreeEntry[];
  readonly links: Map<string, string>;
  readonly pointers: { readonly path: string; readonly executable: boolean; readonly pointer: LfsPointer }[];
  bytes: number;
  /** Time of every file, in seconds since 1970. */
  readonly seconds: number;
}

/** Refuses to write into anything but an empty directory. @throws SOURCE_DIRECTORY_NOT_EMPTY */
export function checkEmpty(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (cause) {
    throw sourceErrors.make("SOURCE_DIRECTORY_NOT_EMPTY", `expected an empty directory at ${directory}, found none`, {
      cause,
    });
  }
  if (names.length > 0)
    throw sourceErrors.make("SOURCE_DIRECTORY_NOT_EMPTY", `expected an empty directory at ${directory}`);
}

/**
 * Writes the files of a tree straight from their objects: no checkout, so no filter, attribute, line-ending
 * conversion or hook takes part. Files are made anew (O_EXCL, O_NOFOLLOW); links are made by `writeLinks` after all
 * files of all trees, so that nothing is ever written through one.
 *
 * @param prefix path of a submodule with a slash at the end, or empty
 */
export async function exportFiles(
  reader: ObjectReader,
  listing: TreeListing,
  directory: string,
  prefix: string,
  limits: SourceLimits,
  out: ExportedTree,
): Promise<void> {
  for (const path of listing.directories) {
    mkdirSync(join(directory, prefix + path));
    // Whatever the umask is: the tree looks the same on every host.
    chmodSync(join(directory, prefix + path), 0o755);
  }
  for (const path of listing.emptyDirectories) out.entries.push(directoryEntry(prefix + path));
  const byId = new Map<string, ListedEntry[]>();
  for (const entry of listing.entries) {
    const same = byId.get(entry.id);
    if (same) same.push(entry);
    else byId.set(entry.id, [entry]);
  }
  const requests = [...byId].map(([id, entries]) => ({ id, sink: fileSink(entries, directory, prefix, limits, out) }));
  const done = reader.stream(requests);
  reader.finish();
  await done;
}

function fileSink(
  entries: readonly ListedEntry[],
  directory: string,
  prefix: string,
  limits: SourceLimits,
  out: ExportedTree,
): ObjectSink {
  let hash: Hash;
  let size = 0;
  let file: number | undefined;
  let first: ListedEntry | undefined;
  const small: Buffer[] = [];
  const files = entries.filter((entry) => entry.mode !== linkMode);
  const links = entries.filter((entry) => entry.mode === linkMode);
  return {
    begin(type, bytes) {
      const path = prefix + (entries[0]?.path ?? "");
      if (type !== "blob")
        throw sourceErrors.make("SOURCE_TREE_MALFORMED", `expected a file at ${JSON.stringify(path)}, found a ${type}`);
      if (bytes > limits.fileBytes) throw tooLarge(path, limits.fileBytes, bytes);
      if (links.length > 0 && bytes > 4095) {
        throw sourceErrors.make(
          "SOURCE_LINK_OUTSIDE",
          `expected a link of at most 4095 bytes at ${JSON.stringify(prefix + links[0]?.path)}`,
        );
      }
      out.bytes += bytes * files.length;
      if (out.bytes > limits.totalBytes) throw tooLarge("all files", limits.totalBytes, out.bytes);
      size = bytes;
      hash = createHash("sha256");
      first = files[0];
      if (first) file = create(join(directory, prefix + first.path));
    },
    chunk(bytes) {
      hash.update(bytes);
      if (file !== undefined) writeAll(file, bytes);
      if (size <= lfsPointerLimit || links.length > 0) small.push(Buffer.from(bytes));
    },
    end() {
      const digest: Digest = `sha256:${hash.digest("hex")}`;
      const content = Buffer.concat(small);
      const pointer = size <= lfsPointerLimit ? parseLfsPointer(content) : undefined;
      for (const entry of files) {
        const path = join(directory, prefix + entry.path);
        if (entry !== first) {
          copyFileSync(join(directory, prefix + first?.path), path, constants.COPYFILE_EXCL);
          file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
        }
        const executable = entry.mode === executableMode;
        if (file !== undefined) {
          fchmodSync(file, executable ? 0o755 : 0o644);
          futimesSync(file, out.seconds, out.seconds);
          closeSync(file);
          file = undefined;
        }
        if (pointer) out.pointers.push({ path: prefix + entry.path, executable, pointer });
        else out.entries.push({ path: prefix + entry.path, kind: executable ? "executable" : "file", size, digest });
      }
      for (const entry of links) {
        let target: string;
        try {
          target = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
        } catch (cause) {
          throw sourceErrors.make(
            "SOURCE_LINK_OUTSIDE",
            `expected a link in UTF-8 at ${JSON.stringify(prefix + entry.path)}`,
            { cause },
          );
        }
        out.links.set(prefix + entry.path, target);
        out.entries.push({ path: prefix + entry.path, kind: "symlink", size, digest });
      }
    },
  };
}

/** Makes the links, after checking that all of them stay inside the whole tree. @throws SOURCE_LINK_OUTSIDE */
export function writeLinks(directory: string, links: ReadonlyMap<string, string>): void {
  checkLinks(links);
  for (const [path, target] of links) symlinkSync(target, join(directory, path));
}

/** Gives links and directories, last of all, the time that the files have: nothing depends on when it was written. */
export function setTimes(directory: string, entries: readonly TreeEntry[], seconds: number): void {
  const directories = new Set<string>();
  for (const { path, kind } of entries) {
    if (kind === "symlink") lutimesSync(join(directory, path), seconds, seconds);
    else if (kind === "directory") directories.add(path);
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      if (directories.has(parent)) break;
      directories.add(parent);
    }
  }
  for (const path of directories) utimesSync(join(directory, path), seconds, seconds);
  utimesSync(directory, seconds, seconds);
}

/** Writes one new file whole. Returns its entry. */
export function writeFileEntry(
  directory: string,
  path: string,
  bytes: Buffer,
  executable: boolean,
  seconds: number,
): TreeEntry {
  const file = create(join(directory, path));
  try {
    writeAll(file, bytes);
    fchmodSync(file, executable ? 0o755 : 0o644);
    futimesSync(file, seconds, seconds);
  } finally {
    closeSync(file);
  }
  return { path, kind: executable ? "executable" : "file", size: bytes.length, digest: sha256(bytes) };
}

function create(path: string): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}

function tooLarge(what: string, limit: number, found: number) {
  return sourceErrors.make("SOURCE_TOO_LARGE", `${what}: expected at most ${limit} bytes, found ${found}`);
}
