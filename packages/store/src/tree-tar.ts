import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { compareTreePaths, type Digest, sha256, type TreeEntry } from "@touchmark/core";
import { storeErrors } from "./errors.ts";
import { isAbsent } from "./system-failure.ts";
import { padding, type TarEntry, tarEnd, tarHeader } from "./tar-header.ts";
import { shown } from "./tree-walk.ts";

/** How to write a tree as tar. */
export interface TreeTarOptions {
  /** Modification time of every entry, in seconds of the epoch. Default 0. */
  readonly epoch?: number;
  /** A directory to put everything under, `package` for example. Default none. */
  readonly prefix?: string;
}

/** A tar archive being written. Iterate once. */
export interface TarStream extends AsyncIterable<Uint8Array> {
  /** Digest and size of the archive; settles once it has been read to its end. */
  readonly result: Promise<{ readonly digest: Digest; readonly size: number }>;
}

const CHUNK_BYTES = 1024 * 1024;

/** Writes a stored tree as tar: byte-sorted paths, explicit parents, uid and gid 0, modes 0644 and 0755. */
export function treeTar(
  root: string,
  entries: () => Promise<readonly TreeEntry[]>,
  options: TreeTarOptions,
): TarStream {
  let settle: (result: { digest: Digest; size: number }) => void = () => {};
  let fail: (cause: unknown) => void = () => {};
  const result = new Promise<{ digest: Digest; size: number }>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  // Whoever only iterates sees the failure there.
  result.catch(() => {});
  async function* generate(): AsyncGenerator<Uint8Array> {
    const h = createHash("sha256");
    let size = 0;
    try {
      for (const chunk of gathered(archive(root, await entries(), options))) {
        h.update(chunk);
        size += chunk.length;
        yield chunk;
      }
      settle({ digest: `sha256:${h.digest("hex")}`, size });
    } catch (cause) {
      fail(cause);
      throw cause;
    }
  }
  return { result, [Symbol.asyncIterator]: generate };
}

/** Joins small chunks, so that a tree of many small files costs its consumer few steps. */
function* gathered(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    if (size < CHUNK_BYTES) continue;
    yield held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held, size);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held, size);
}

function* archive(root: string, entries: readonly TreeEntry[], options: TreeTarOptions): Generator<Uint8Array> {
  const mtime = options.epoch ?? 0;
  const prefix = options.prefix === undefined ? "" : `${options.prefix}/`;
  for (const entry of withParents(entries, options.prefix)) {
    const common = { path: prefix + entry.path, mtime };
    if (entry.kind === "directory") {
      const path = entry.path === "" ? (options.prefix as string) : common.path;
      yield tarHeader({ path, mtime, kind: "directory", size: 0, mode: 0o755 });
    } else if (entry.kind === "symlink") {
      yield tarHeader({ ...common, kind: "symlink", size: 0, mode: 0o777, target: readTarget(root, entry) });
    } else {
      const mode = entry.kind === "executable" ? 0o755 : 0o644;
      yield* fileParts(root, entry, { ...common, kind: "file", size: entry.size, mode });
    }
  }
  yield tarEnd();
}

/** The entries and every directory above them, in byte order of paths. */
function withParents(
  entries: readonly TreeEntry[],
  prefix: string | undefined,
): { path: string; kind: TreeEntry["kind"]; size: number; digest: Digest }[] {
  const none = sha256("");
  const directories = new Set<string>(prefix === undefined ? [] : [""]);
  for (const { path } of entries) {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const parent = path.slice(0, cut);
      if (directories.has(parent)) break;
      directories.add(parent);
    }
  }
  const all = [
    ...entries,
    ...[...directories].map((path) => ({ path, kind: "directory" as const, size: 0, digest: none })),
  ];
  return all.sort((a, b) => compareTreePaths(a.path, b.path));
}

function readTarget(root: string, entry: TreeEntry): string {
  const target = readlinkSync(join(root, entry.path));
  if (sha256(target) !== entry.digest) throw changed(entry);
  return target;
}

function* fileParts(root: string, entry: TreeEntry, header: TarEntry): Generator<Uint8Array> {
  const descriptor = openFile(root, entry);
  try {
    if (!fstatSync(descriptor).isFile() || fstatSync(descriptor).size !== entry.size) throw changed(entry);
    yield tarHeader(header);
    const h = createHash("sha256");
    for (let left = entry.size; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
      const count = readSync(descriptor, chunk, 0, chunk.length, null);
      if (count === 0) throw changed(entry);
      left -= count;
      h.update(chunk.subarray(0, count));
      if (left === 0 && `sha256:${h.digest("hex")}` !== entry.digest) throw changed(entry);
      yield chunk.subarray(0, count);
    }
    yield padding(entry.size);
  } finally {
    closeSync(descriptor);
  }
}

function openFile(root: string, entry: TreeEntry): number {
  try {
    return openSync(
      join(root, entry.path),
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (cause) {
    if (isAbsent(cause) || (cause as { code?: string }).code === "ELOOP") throw changed(entry);
    throw cause;
  }
}

function changed(entry: TreeEntry): Error {
  return storeErrors.make(
    "STORE_TREE_CORRUPT",
    `expected ${shown(entry.path)} with digest ${entry.digest}, found another`,
  );
}
