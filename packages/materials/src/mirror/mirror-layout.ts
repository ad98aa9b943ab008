import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, sep } from "node:path";
import { digestHex, sha256 } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import { isAbsent, makeDirectory, TEMPORARY_PREFIX } from "@touchmark/store";
import { mirrorErrors } from "./errors.ts";
import { MAX_DOCUMENT_BYTES } from "./sealed-json.ts";

/** The kinds of documents, each a directory of 256 shards. */
export type DocumentKind = "records" | "digests" | "seen";

const parts = ["records", "digests", "seen", "incoming", "locks", "quarantine"] as const;
const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Where everything of a mirror lies, below HOME/materials. */
export class MirrorLayout {
  readonly directory: string;
  readonly incoming: string;
  readonly locks: string;
  readonly quarantine: string;
  /** Shards found to be directories of ours. */
  readonly #sound = new Set<string>();

  constructor(directory: string) {
    this.directory = directory;
    this.incoming = join(directory, "incoming");
    this.locks = join(directory, "locks");
    this.quarantine = join(directory, "quarantine");
  }

  /** Makes what is missing, and refuses what others could alter. @throws MIRROR_DIRECTORY_UNSAFE */
  prepare(): void {
    makeDirectory(this.directory);
    checkDirectory(this.directory);
    for (const part of parts) {
      const path = join(this.directory, part);
      if (!makeDirectory(path)) checkDirectory(path);
    }
  }

  record(key: string): string {
    return this.#document("records", key);
  }

  digest(digest: AnnouncedDigest): string {
    return this.#document("digests", digestHex(sha256(`${digest.algorithm}:${digest.value}`)));
  }

  seen(purl: string, fileName: string): string {
    return this.#document("seen", digestHex(sha256(`${purl}\n${fileName}`)));
  }

  /** Makes the shard of a document; true when it was not there before. */
  makeShard(path: string): boolean {
    const shard = join(path, "..");
    if (this.#sound.has(shard)) return false;
    const made = makeDirectory(shard);
    if (!made) this.#checkShard(shard);
    this.#sound.add(shard);
    return made;
  }

  /** True for a document that can be made again from others, and need not survive a power cut. */
  isDerived(path: string): boolean {
    return path.startsWith(join(this.directory, "digests", sep));
  }

  /**
   * Bytes of a document, or undefined when there is none. What is no plain file of a document's size is answered with
   * bytes that no document has. @throws MIRROR_DIRECTORY_UNSAFE
   */
  read(path: string): Buffer | undefined {
    this.#checkShard(join(path, ".."));
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | NO_FOLLOW);
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      if ((cause as { code?: string }).code === "ELOOP") return Buffer.alloc(0);
      throw cause;
    }
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.size > MAX_DOCUMENT_BYTES) return Buffer.alloc(0);
      const bytes = Buffer.alloc(stat.size);
      let done = 0;
      for (let count = 1; done < bytes.length && count > 0; done += count) {
        count = readSync(descriptor, bytes, done, bytes.length - done, null);
      }
      return bytes.subarray(0, done);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Paths of all documents of a kind, in order of their names. */
  *documents(kind: DocumentKind): Generator<string> {
    const top = join(this.directory, kind);
    for (const shard of readdirSync(top).sort()) {
      const directory = join(top, shard);
      if (shard.startsWith(TEMPORARY_PREFIX)) continue;
      checkDirectory(directory);
      for (const name of readdirSync(directory).sort()) {
        if (!name.startsWith(TEMPORARY_PREFIX)) yield join(directory, name);
      }
    }
  }

  /** Deletes what killed writers left. Only under the lock of the writers. */
  removeTemporaries(): void {
    for (const kind of ["records", "digests", "seen"]) {
      const top = join(this.directory, kind);
      for (const shard of readdirSync(top)) {
        if (!lstatSync(join(top, shard)).isDirectory()) continue;
        for (const name of readdirSync(join(top, shard))) {
          if (name.startsWith(TEMPORARY_PREFIX)) rmSync(join(top, shard, name), { force: true });
        }
      }
    }
  }

  /** Moves something out of the way; answers where it went. */
  setAside(path: string, label: string): string {
    const place = join(this.quarantine, `${label}-${randomBytes(4).toString("hex")}`);
    try {
      renameSync(path, place);
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
    }
    return place;
  }

  #document(kind: DocumentKind, name: string): string {
    return join(this.directory, kind, name.slice(0, 2), `${name}.json`);
  }

  #checkShard(shard: string): void {
    if (this.#sound.has(shard)) return;
    const stat = lstatSync(shard, { throwIfNoEntry: false });
    if (stat === undefined) return;
    checkDirectory(shard);
    this.#sound.add(shard);
  }
}

/** Refuses links, and what someone else owns or can write. @throws MIRROR_DIRECTORY_UNSAFE */
function checkDirectory(path: string): void {
  const stat = lstatSync(path);
  const user = process.platform === "win32" ? undefined : process.geteuid?.();
  const ours = user === undefined || (stat.uid === user && (stat.mode & 0o022) === 0);
  if (stat.isDirectory() && ours) return;
  const found = stat.isDirectory()
    ? `uid ${stat.uid} and mode ${(stat.mode & 0o7777).toString(8)}`
    : stat.isSymbolicLink()
      ? "a link"
      : "no directory";
  throw mirrorErrors.make("MIRROR_DIRECTORY_UNSAFE", `expected a directory of our own at ${path}, found ${found}`);
}
