import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Digest, digestHex, isDigest, sha256 } from "@touchmark/core";
import {
  BACKUP_HEAD,
  BACKUP_HOME,
  BACKUP_MANIFEST,
  type BackupEntry,
  checkArchivePath,
  isTreeContent,
  parseBackupHead,
  parseBackupManifest,
} from "./archive-layout.ts";
import { openTreeStore } from "./backends/directory-tree-store.ts";
import { syncDirectory, TEMPORARY_PREFIX, writeAll } from "./durable-file.ts";
import { storeErrors } from "./errors.ts";
import { openHome } from "./home.ts";
import { homeMigrations, newestVersion } from "./migrations.ts";
import { removeTree } from "./remove-tree.ts";
import { guarded, isAbsent } from "./system-failure.ts";
import { padding, type TarEntry } from "./tar-header.ts";
import { readTarEntry } from "./tar-reader.ts";

/** Bounds on an archive that may come from anywhere. */
export interface RestoreOptions {
  /** Default 5,000,000. @throws STORE_ARCHIVE_TOO_LARGE */
  readonly maxEntries?: number;
  /** Bytes of all files. Default 1 TiB; never more than the archive itself holds. @throws STORE_ARCHIVE_TOO_LARGE */
  readonly maxBytes?: number;
}

/** A restored home. */
export interface RestoreReport {
  readonly home: string;
  readonly entries: number;
  readonly bytes: number;
}

const CHUNK_BYTES = 1024 * 1024;
// Head, manifest and whatever else is kept in memory.
const MAX_DOCUMENT_BYTES = 1024 ** 3;

/**
 * Makes a home from a backup. Every digest is verified before the home appears, whole, at its place; the archive is
 * treated as hostile, and nothing is written outside a fresh directory beside that place.
 * @throws STORE_RESTORE_EXISTS | STORE_HOME_NEWER | STORE_ARCHIVE_MALFORMED | STORE_ARCHIVE_PATH | STORE_ARCHIVE_ENTRY |
 * STORE_ARCHIVE_DUPLICATE | STORE_ARCHIVE_TOO_LARGE | STORE_ARCHIVE_MISMATCH | STORE_DISK_FULL
 */
export function restore(file: string, newHome: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  return guarded(`restoring ${file}`, async () => {
    const target = resolve(newHome);
    checkTarget(target);
    mkdirSync(dirname(target), { recursive: true });
    const prefix = `${TEMPORARY_PREFIX}${basename(target)}-restore-`;
    const temporary = join(dirname(target), prefix + randomBytes(6).toString("hex"));
    mkdirSync(temporary, { mode: 0o700 });
    try {
      const reader = new ArchiveReader(file, temporary, options);
      let report: { entries: number; bytes: number };
      try {
        report = reader.extract();
      } finally {
        reader.close();
      }
      await verifyTrees(join(temporary, BACKUP_HOME));
      checkTarget(target);
      rmdirIfPresent(target);
      renameSync(join(temporary, BACKUP_HOME), target);
      syncDirectory(dirname(target));
      return { home: target, ...report };
    } finally {
      removeTree(temporary);
    }
  });
}

function checkTarget(target: string): void {
  try {
    if (readdirSync(target).length === 0) return;
  } catch (cause) {
    if (isAbsent(cause)) return;
    throw cause;
  }
  throw storeErrors.make("STORE_RESTORE_EXISTS", `expected nothing at ${target}, found a directory with files in it`);
}

function rmdirIfPresent(target: string): void {
  try {
    rmdirSync(target);
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
  }
}

/** Opening makes what a backup leaves out; a tree's name is the digest of all its files together. */
async function verifyTrees(path: string): Promise<void> {
  const home = await openHome(path);
  try {
    const trees = await openTreeStore(home);
    for await (const { digest } of trees.list()) {
      try {
        await trees.verify(digest);
      } catch (cause) {
        throw storeErrors.make("STORE_ARCHIVE_MISMATCH", `expected a tree ${digest}, found other files`, { cause });
      }
    }
  } finally {
    await home.close();
  }
}

/** Extracts one archive below one directory. */
class ArchiveReader {
  readonly #descriptor: number;
  readonly #root: string;
  readonly #maxEntries: number;
  readonly #found = new Map<string, BackupEntry>();
  /** Paths that are files or links: nothing may lie below them. */
  readonly #leaves = new Set<string>();
  readonly #directories = new Set<string>();
  readonly #treeDirectories: { path: string; mtime: number }[] = [];
  #left: number;
  #bytesLeft: number;
  #bytes = 0;

  constructor(file: string, root: string, options: RestoreOptions) {
    this.#descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    this.#root = root;
    this.#maxEntries = options.maxEntries ?? 5_000_000;
    this.#bytesLeft = options.maxBytes ?? 1024 ** 4;
    this.#left = fstatSync(this.#descriptor).size;
  }

  extract(): { entries: number; bytes: number } {
    let manifest: BackupEntry[] | undefined;
    for (let entry = this.#next(); entry !== undefined; entry = this.#next()) {
      this.#admit(entry);
      if (manifest !== undefined) throw malformed("an entry after the manifest");
      if ((this.#found.size === 0) !== (entry.path === BACKUP_HEAD)) throw malformed("another first entry");
      if (entry.path === BACKUP_HEAD) this.#readHead(entry);
      else if (entry.path === BACKUP_MANIFEST) manifest = parseBackupManifest(this.#document(entry));
      else this.#extractOne(entry);
    }
    if (this.#left !== 0) throw malformed("bytes after the end of the archive");
    if (manifest === undefined) throw mismatch("a manifest", "none");
    this.#compare(manifest);
    for (const { path, mtime } of this.#treeDirectories.reverse()) utimesSync(join(this.#root, path), mtime, mtime);
    for (const directory of this.#directories)
      if (!isTreeContent(directory)) syncDirectory(join(this.#root, directory));
    return { entries: manifest.length, bytes: this.#bytes };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #next(): TarEntry | undefined {
    return readTarEntry((buffer) => this.#read(buffer));
  }

  #read(buffer: Uint8Array): void {
    for (let done = 0; done < buffer.length; ) {
      const count = readSync(this.#descriptor, buffer, done, buffer.length - done, null);
      if (count === 0) throw malformed("the end of the file in the middle");
      done += count;
      this.#left -= count;
    }
  }

  #readPadding(size: number): void {
    const zeros = padding(size);
    this.#read(zeros);
    if (zeros.some((byte) => byte !== 0)) throw malformed("content beyond the end of an entry");
  }

  #admit(entry: TarEntry): void {
    checkArchivePath(entry.path, entry.kind);
    const shown = JSON.stringify(entry.path.slice(0, 200));
    if (this.#found.has(entry.path) || this.#directories.has(entry.path)) {
      throw storeErrors.make("STORE_ARCHIVE_DUPLICATE", `expected each path once, found ${shown} again`);
    }
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      if (this.#leaves.has(parts.slice(0, depth).join("/"))) {
        throw storeErrors.make("STORE_ARCHIVE_PATH", `expected directories above ${shown}, found a file or link`);
      }
    }
    this.#bytesLeft -= entry.size;
    if (this.#found.size >= this.#maxEntries || this.#bytesLeft < 0 || entry.size > this.#left) {
      throw storeErrors.make(
        "STORE_ARCHIVE_TOO_LARGE",
        `expected fewer or smaller entries, found ${shown} beyond the limit`,
      );
    }
  }

  #readHead(entry: TarEntry): void {
    const version = parseBackupHead(this.#document(entry));
    const newest = newestVersion(homeMigrations);
    if (version > newest) {
      throw storeErrors.make("STORE_HOME_NEWER", `expected a home of version ${newest} or older, found ${version}`);
    }
  }

  #document(entry: TarEntry): Buffer {
    if (entry.kind !== "file") throw malformed(`no file at ${entry.path}`);
    if (entry.size > MAX_DOCUMENT_BYTES) {
      throw storeErrors.make("STORE_ARCHIVE_TOO_LARGE", `expected ${entry.path} to be smaller`);
    }
    const bytes = Buffer.alloc(entry.size);
    this.#read(bytes);
    this.#readPadding(entry.size);
    this.#enter(entry, sha256(bytes), entry.size);
    return bytes;
  }

  #extractOne(entry: TarEntry): void {
    const path = join(this.#root, entry.path);
    const parent = dirname(entry.path);
    if (entry.kind === "directory") {
      this.#makeDirectories(entry.path);
      this.#treeDirectories.push({ path: entry.path, mtime: entry.mtime });
      this.#enter(entry, sha256(""), 0);
      return;
    }
    this.#makeDirectories(parent);
    this.#leaves.add(entry.path);
    if (entry.kind === "symlink") {
      const target = entry.target ?? "";
      symlinkSync(target, path);
      lutimesSync(path, entry.mtime, entry.mtime);
      this.#enter(entry, sha256(target), Buffer.byteLength(target));
      return;
    }
    const inTree = isTreeContent(entry.path);
    const descriptor = openSync(path, "wx", inTree ? entry.mode : entry.mode & 0o700);
    try {
      const h = createHash("sha256");
      for (let left = entry.size; left > 0; ) {
        const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
        this.#read(chunk);
        h.update(chunk);
        writeAll(descriptor, chunk);
        left -= chunk.length;
      }
      this.#readPadding(entry.size);
      if (!inTree) fsyncSync(descriptor);
      this.#enter(entry, `sha256:${h.digest("hex")}`, entry.size);
    } finally {
      closeSync(descriptor);
    }
    if (inTree) utimesSync(path, entry.mtime, entry.mtime);
    this.#bytes += entry.size;
  }

  /** Only ever inside a directory that is ours and fresh, and never through a link, since none of these paths is one. */
  #makeDirectories(path: string): void {
    if (path === "." || this.#directories.has(path)) return;
    this.#makeDirectories(dirname(path));
    mkdirSync(join(this.#root, path), { mode: isTreeContent(path) ? 0o755 : 0o700 });
    this.#directories.add(path);
  }

  #enter(entry: TarEntry, digest: Digest, size: number): void {
    this.#found.set(entry.path, { path: entry.path, kind: entry.kind, size, digest });
  }

  #compare(manifest: readonly BackupEntry[]): void {
    const listed = new Set<string>();
    for (const line of manifest) {
      const found = this.#found.get(line.path);
      const same =
        found !== undefined && found.digest === line.digest && found.size === line.size && found.kind === line.kind;
      if (!same) throw mismatch(`${line.path} with digest ${line.digest}`, found?.digest ?? "no such entry");
      listed.add(line.path);
    }
    for (const { path, digest } of this.#found.values()) {
      if (path !== BACKUP_MANIFEST && !listed.has(path)) throw mismatch("no entry but those of the manifest", path);
      const blob = /^home\/store\/blobs\/sha256\/(.+)$/.exec(path)?.[1];
      // The manifest lies in the same archive: what binds a blob is its own name.
      if (blob !== undefined && isDigest(`sha256:${blob}`) && digestHex(digest) !== blob)
        throw mismatch(`blob ${blob}`, digest);
    }
  }
}

function malformed(found: string): Error {
  return storeErrors.make("STORE_ARCHIVE_MALFORMED", `expected a backup, found ${found}`);
}

function mismatch(expected: string, found: string): Error {
  return storeErrors.make("STORE_ARCHIVE_MISMATCH", `expected ${expected}, found ${found}`);
}
