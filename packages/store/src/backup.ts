import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  type Dirent,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Digest, digestHex, sha256 } from "@touchmark/core";
import {
  BACKUP_HEAD,
  BACKUP_HOME,
  BACKUP_MANIFEST,
  BACKUP_REGISTRY,
  type BackupEntry,
  type BackupPart,
  backupDocuments,
  backupHead,
  backupManifest,
  backupParts,
  isTreeContent,
} from "./archive-layout.ts";
import { readIfPresent, syncDirectory, TEMPORARY_PREFIX, temporaryBeside, writeAll } from "./durable-file.ts";
import { storeErrors } from "./errors.ts";
import type { Home } from "./home.ts";
import { versionText } from "./migrations.ts";
import { RegistryReferences } from "./registry-references.ts";
import { guarded, isAbsent } from "./system-failure.ts";
import { padding, tarEnd, tarHeader } from "./tar-header.ts";

/** How to back up. */
export interface BackupOptions {
  /** Leave out stored trees. They can be made again by running the steps; evidence does not need them. Default false. */
  readonly withoutTrees?: boolean;
  /** Take the step cache and the mirrors of repositories along. Default false. */
  readonly withCaches?: boolean;
  /** Called before log and identity are read; gives back what ends the pause. Pauses writers that `Home.lock` does not. */
  readonly quiesce?: () => Promise<() => void | Promise<void>>;
}

/** A finished backup. */
export interface BackupReport {
  readonly file: string;
  readonly entries: number;
  /** Bytes of the archive. */
  readonly bytes: number;
  /** Digest of the archive. The same home, unchanged, gives the same one. */
  readonly digest: Digest;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Writes a home to one tar file, while others go on writing to it: records are read before the content that they refer
 * to, and the log's checkpoint before its tiles, so that whatever the backup mentions it also holds. Scratch, locks and
 * the index are left out. The file appears only when it is whole and durable, readable by its owner alone.
 * @throws STORE_BACKUP_EXISTS | STORE_BLOB_CORRUPT | STORE_DISK_FULL | STORE_LOCK_BUSY
 */
export function backup(home: Home, file: string, options: BackupOptions = {}): Promise<BackupReport> {
  return guarded(`backing up to ${file}`, async () => {
    const target = resolve(file);
    if (existsSync(target))
      throw storeErrors.make("STORE_BACKUP_EXISTS", `expected nothing at ${target}, found a file`);
    const temporary = temporaryBeside(target);
    // Nothing is deleted meanwhile.
    const lock = await home.lock("prune", { shared: true });
    try {
      const writer = new ArchiveWriter(temporary);
      try {
        await writeHome(home, writer, options);
        const report = writer.finish();
        publish(temporary, target);
        return { file: target, ...report };
      } finally {
        writer.close();
      }
    } finally {
      rmSync(temporary, { force: true });
      lock.release();
    }
  });
}

async function writeHome(home: Home, writer: ArchiveWriter, options: BackupOptions): Promise<void> {
  const skipped = new Set<BackupPart>();
  if (options.withoutTrees === true) skipped.add("trees");
  if (options.withCaches !== true) skipped.add("cache").add("repositories");
  writer.addBytes(BACKUP_HEAD, Buffer.from(backupHead(home.version)));
  writer.addBytes(`${BACKUP_HOME}/version`, Buffer.from(versionText(home.version)));
  for (const name of backupDocuments) {
    const bytes = readIfPresent(join(dirname(home.paths.version), name));
    if (bytes !== undefined) writer.addBytes(`${BACKUP_HOME}/${name}`, bytes);
  }
  let resume: (() => void | Promise<void>) | undefined;
  try {
    for (const part of backupParts) {
      if (skipped.has(part)) continue;
      if (part === "log") resume = await options.quiesce?.();
      if (part === "registry") {
        await addRegistry(home, writer);
        continue;
      }
      // What vanishes between listing and reading was replaced by something new: a log's partial tile by the full one.
      for (let again = true, rounds = 0; again && rounds < 5; rounds++) {
        again = writer.addDirectory(home.paths[part], `${BACKUP_HOME}/${part}`);
      }
    }
  } finally {
    await resume?.();
  }
}

/** The registry's database is copied as of one moment: the file itself changes while it is read. */
async function addRegistry(home: Home, writer: ArchiveWriter): Promise<void> {
  const scratch = await home.scratch("registry");
  const references = new RegistryReferences(home);
  try {
    const copy = join(scratch, "copy.db");
    if (references.copyTo(copy)) writer.addFile(copy, BACKUP_REGISTRY, false);
  } finally {
    references.close();
    await home.releaseScratch(scratch);
  }
}

/** A link refuses to replace a file that appeared meanwhile, which a rename would. */
function publish(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "EEXIST") throw cause;
    throw storeErrors.make("STORE_BACKUP_EXISTS", `expected nothing at ${target}, found a file`, { cause });
  }
  rmSync(temporary);
  syncDirectory(dirname(target));
}

/** Names that are no state: locks of the living, leavings of the dead. */
function isTransient(name: string): boolean {
  return name === "lock" || name === "CACHEDIR.TAG" || name.endsWith(".lock") || name.startsWith(TEMPORARY_PREFIX);
}

/** What the mirror keeps beside its records: bodies that are still coming in, locks, and what was moved aside. */
const transientParts: ReadonlySet<string> = new Set(
  ["incoming", "locks", "quarantine"].map((name) => `${BACKUP_HOME}/materials/${name}`),
);

/** Writes one archive, keeping its manifest. */
class ArchiveWriter {
  #descriptor: number | undefined;
  readonly #entries: BackupEntry[] = [];
  readonly #written = new Set<string>();
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, "wx", 0o600);
  }

  addBytes(path: string, bytes: Uint8Array, mode = 0o600): void {
    this.#write(tarHeader({ path, kind: "file", size: bytes.length, mode, mtime: 0 }));
    this.#write(bytes);
    this.#write(padding(bytes.length));
    this.#enter({ path, kind: "file", size: bytes.length, digest: sha256(bytes) });
  }

  /** Adds everything below a directory; true when something vanished, so that another look is due. */
  addDirectory(directory: string, path: string): boolean {
    let entries: Dirent[];
    try {
      entries = readdirSync(directory, { withFileTypes: true });
    } catch (cause) {
      if (isAbsent(cause)) return true;
      throw cause;
    }
    const inTree = isTreeContent(path);
    if (inTree && !this.#written.has(path)) {
      const mtime = seconds(lstatSync(directory).mtimeMs);
      this.#write(tarHeader({ path, kind: "directory", size: 0, mode: 0o755, mtime }));
      this.#enter({ path, kind: "directory", size: 0, digest: sha256("") });
    }
    let vanished = false;
    for (const entry of entries.sort(checkpointsFirst)) {
      const child = join(directory, entry.name);
      const name = `${path}/${entry.name}`;
      if (!inTree && (isTransient(entry.name) || transientParts.has(name))) continue;
      if (entry.isDirectory()) vanished = this.addDirectory(child, name) || vanished;
      else if (this.#written.has(name)) continue;
      else if (entry.isSymbolicLink() && inTree) this.#addLink(child, name);
      else if (entry.isFile()) vanished = !this.addFile(child, name, inTree) || vanished;
    }
    return vanished;
  }

  finish(): { entries: number; bytes: number; digest: Digest } {
    const entries = this.#entries.length;
    this.addBytes(BACKUP_MANIFEST, Buffer.from(backupManifest([...this.#entries])));
    this.#write(tarEnd());
    fsyncSync(this.#open());
    return { entries, bytes: this.#bytes, digest: `sha256:${this.#hash.digest("hex")}` };
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #addLink(file: string, path: string): void {
    const target = readlinkSync(file);
    this.#write(
      tarHeader({ path, kind: "symlink", size: 0, mode: 0o777, mtime: seconds(lstatSync(file).mtimeMs), target }),
    );
    this.#enter({ path, kind: "symlink", size: Buffer.byteLength(target), digest: sha256(target) });
  }

  /** False when the file is there no more. A file that grows is taken at the length it had when it was opened. */
  addFile(file: string, path: string, inTree: boolean): boolean {
    let descriptor: number;
    try {
      descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (cause) {
      if (isAbsent(cause)) return false;
      throw cause;
    }
    try {
      const stat = fstatSync(descriptor);
      const mtime = inTree ? seconds(stat.mtimeMs) : 0;
      // Outside trees a file is its owner's alone, before and after.
      const mode = stat.mode & (inTree ? 0o777 : 0o700);
      this.#write(tarHeader({ path, kind: "file", size: stat.size, mode, mtime }));
      const h = createHash("sha256");
      for (let left = stat.size; left > 0; ) {
        const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
        const count = readSync(descriptor, chunk, 0, chunk.length, null);
        if (count === 0)
          throw storeErrors.make("STORE_TREE_CHANGED", `expected ${stat.size} bytes in ${file}, found fewer`);
        const part = chunk.subarray(0, count);
        h.update(part);
        this.#write(part);
        left -= count;
      }
      this.#write(padding(stat.size));
      const digest: Digest = `sha256:${h.digest("hex")}`;
      checkBlob(path, digest);
      this.#enter({ path, kind: "file", size: stat.size, digest });
      return true;
    } finally {
      closeSync(descriptor);
    }
  }

  #enter(entry: BackupEntry): void {
    this.#entries.push(entry);
    this.#written.add(entry.path);
  }

  #write(bytes: Uint8Array): void {
    writeAll(this.#open(), bytes);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new TypeError("the archive is closed");
    return this.#descriptor;
  }
}

/** A backup of damaged content would be worth nothing on the day it is needed: better to say so now. */
function checkBlob(path: string, digest: Digest): void {
  const match = /^home\/store\/blobs\/sha256\/([0-9a-f]{64})$/.exec(path);
  if (match !== null && match[1] !== digestHex(digest)) {
    throw storeErrors.make("STORE_BLOB_CORRUPT", `expected a blob with digest sha256:${match[1]}, found ${digest}`);
  }
}

/** A log's checkpoint is read before the tiles it stands for, since those only ever grow. */
function checkpointsFirst(a: Dirent, b: Dirent): number {
  const rank = (entry: Dirent) => (basename(entry.name).startsWith("checkpoint") ? 0 : 1);
  return rank(a) - rank(b) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

function seconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000));
}
