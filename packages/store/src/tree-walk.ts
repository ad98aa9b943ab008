import { chmodSync, type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { storeErrors } from "./errors.ts";
import { systemCode } from "./system-failure.ts";
import type { TreeLimits } from "./tree-limits.ts";

/** What a directory holds, found without following a link and without reading a file. Paths are relative, with `/`. */
export interface TreeWalk {
  readonly files: string[];
  readonly links: Map<string, string>;
  /** Every directory below the top, parents first. */
  readonly directories: string[];
  readonly emptyDirectories: string[];
  /** Apparent bytes of all files; 0 when files were not inspected. */
  readonly bytes: number;
}

/** How to walk. */
export interface WalkOptions {
  readonly limits: Required<TreeLimits>;
  /** Look at each file's mode, links and size before anyone touches it. Else whoever hashes it does. */
  readonly inspect: boolean;
}

/**
 * Walks a directory that a step made, refusing what a stored tree cannot hold.
 * @throws STORE_TREE_SPECIAL_FILE | STORE_TREE_SETUID | STORE_TREE_HARD_LINK | STORE_TREE_NAME_INVALID |
 * STORE_TREE_PATH_TOO_LONG | STORE_TREE_TOO_MANY | STORE_TREE_TOO_LARGE
 */
export function walkTree(top: string, options: WalkOptions): TreeWalk {
  const walk = { files: [], links: new Map(), directories: [], emptyDirectories: [], bytes: 0 } as {
    -readonly [K in keyof TreeWalk]: TreeWalk[K];
  };
  const hardLinks = new Map<string, { path: string; expected: number; found: number }>();
  const pending: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
  let entries = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const children = readDirectory(top, next.path);
    entries += children.length;
    if (entries > options.limits.maxEntries) {
      throw storeErrors.make(
        "STORE_TREE_TOO_MANY",
        `expected at most ${options.limits.maxEntries} entries, found more in ${shown(next.path)}`,
      );
    }
    if (children.length === 0 && next.path !== "") walk.emptyDirectories.push(next.path);
    for (const child of children) {
      const path = next.path === "" ? child.name : `${next.path}/${child.name}`;
      checkPath(path, next.depth + 1, options.limits);
      if (child.isDirectory()) {
        walk.directories.push(path);
        pending.push({ path, depth: next.depth + 1 });
      } else if (child.isSymbolicLink()) {
        walk.links.set(path, checkText(readlinkSync(join(top, path)), path));
      } else if (child.isFile()) {
        walk.files.push(path);
        if (options.inspect) {
          const stat = lstatSync(join(top, path));
          checkFile(stat, path, options.limits);
          walk.bytes += stat.size;
          if (stat.nlink > 1) countLink(hardLinks, stat, path);
        }
      } else {
        throw storeErrors.make(
          "STORE_TREE_SPECIAL_FILE",
          `expected files, directories and links, found ${kindOf(child)} at ${shown(path)}`,
        );
      }
    }
    if (walk.bytes > options.limits.maxBytes) {
      throw storeErrors.make("STORE_TREE_TOO_LARGE", `expected at most ${options.limits.maxBytes} bytes, found more`);
    }
  }
  for (const { path, expected, found } of hardLinks.values()) {
    if (found < expected) {
      throw storeErrors.make(
        "STORE_TREE_HARD_LINK",
        `expected every name of ${shown(path)} inside the tree, found ${found} of ${expected}`,
      );
    }
  }
  return walk;
}

function readDirectory(top: string, path: string): Dirent[] {
  const absolute = join(top, path);
  let children: Dirent[];
  try {
    children = readdirSync(absolute, { withFileTypes: true });
  } catch (cause) {
    if (systemCode(cause) !== "EACCES") throw cause;
    // A step may take its owner's right to read away; the owner may give it back.
    chmodSync(absolute, 0o700);
    children = readdirSync(absolute, { withFileTypes: true });
  }
  return children;
}

/** Refuses what an untrusted file may not be, before its mode or times are touched. */
export function checkFile(stat: Stats, path: string, limits: Required<TreeLimits>): void {
  if (!stat.isFile()) throw storeErrors.make("STORE_TREE_SPECIAL_FILE", `expected a plain file at ${shown(path)}`);
  if ((stat.mode & 0o7000) !== 0) {
    throw storeErrors.make(
      "STORE_TREE_SETUID",
      `expected permission bits only at ${shown(path)}, found mode ${(stat.mode & 0o7777).toString(8)}`,
    );
  }
  if (stat.size > limits.maxFileBytes) {
    throw storeErrors.make(
      "STORE_TREE_TOO_LARGE",
      `expected at most ${limits.maxFileBytes} bytes in ${shown(path)}, found ${stat.size}`,
    );
  }
}

// Control characters steer terminals; U+FFFD is how bytes that are not UTF-8 are read.
const unprintable = /[\p{Cc}\ufffd]/u;

function checkPath(path: string, depth: number, limits: Required<TreeLimits>): void {
  if (depth > limits.maxDepth || Buffer.byteLength(path) > limits.maxPathBytes) {
    throw storeErrors.make(
      "STORE_TREE_PATH_TOO_LONG",
      `expected paths of at most ${limits.maxPathBytes} bytes and ${limits.maxDepth} levels, found ${shown(path)}`,
    );
  }
  checkText(path, path);
}

function checkText(text: string, path: string): string {
  if (unprintable.test(text) || !text.isWellFormed()) {
    throw storeErrors.make(
      "STORE_TREE_NAME_INVALID",
      `expected printable UTF-8, found ${shown(text)} at ${shown(path)}`,
    );
  }
  return text;
}

function countLink(
  hardLinks: Map<string, { path: string; expected: number; found: number }>,
  stat: Stats,
  path: string,
): void {
  const key = `${stat.dev}:${stat.ino}`;
  const known = hardLinks.get(key);
  if (known === undefined) hardLinks.set(key, { path, expected: stat.nlink, found: 1 });
  else known.found++;
}

function kindOf(entry: Dirent): string {
  if (entry.isFIFO()) return "a FIFO";
  if (entry.isSocket()) return "a socket";
  if (entry.isBlockDevice() || entry.isCharacterDevice()) return "a device";
  return "something else";
}

/** A path as a message shows it: quoted, so that it cannot steer a terminal, and bounded. */
export function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
