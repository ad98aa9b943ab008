import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  unlinkSync,
  utimesSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Digest, digestHex, isDigest, parseDigest, sha256 } from "@touchmark/core";
import type { BlobDescriptor, BlobSource, FileContentStore, PutOptions, ReadOptions } from "../content-store.ts";
import { DirectoryFlush } from "../directory-flush.ts";
import { readIfPresent, syncDirectory, writeAll, writeFileAtomically } from "../durable-file.ts";
import { storeErrors } from "../errors.ts";
import type { Home } from "../home.ts";
import { guarded, isAbsent } from "../system-failure.ts";
import { BLOB_MODE, CHUNK_BYTES, checkSize, hashFile, NO_FOLLOW, openBlob, takeFile } from "./blob-file.ts";

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
// Blobs up to this size are compared in full when put again; larger ones by size, and by digest when read.
const COMPARE_BYTES = 1024 * 1024;
const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
const EMPTY_INDEX = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}';
const flushed = promisify(fdatasync);

/** Opens the home's content store, an OCI image layout (image-spec, "image-layout"). @throws STORE_LAYOUT_INVALID */
export async function openContentStore(home: Home): Promise<FileContentStore> {
  return guarded("opening the content store", () => {
    const directory = home.paths.store;
    mkdirSync(join(directory, "blobs", "sha256"), { recursive: true, mode: 0o700 });
    const layout = readIfPresent(join(directory, "oci-layout"))?.toString();
    if (layout === undefined) {
      writeFileAtomically(join(directory, "index.json"), EMPTY_INDEX);
      writeFileAtomically(join(directory, "oci-layout"), LAYOUT);
    } else if (!/^\s*\{\s*"imageLayoutVersion"\s*:\s*"1\.0\.0"\s*\}\s*$/.test(layout)) {
      throw storeErrors.make("STORE_LAYOUT_INVALID", `expected ${LAYOUT} in ${directory}/oci-layout, found other text`);
    }
    return new DirectoryContentStore(home);
  });
}

class DirectoryContentStore implements FileContentStore {
  readonly directory: string;
  readonly #home: Home;
  readonly #blobs: string;
  readonly #names: DirectoryFlush;
  #staging: Promise<string> | undefined;
  /** Paths put since the last barrier. */
  #unsynced = new Set<string>();

  constructor(home: Home) {
    this.#home = home;
    this.directory = home.paths.store;
    this.#blobs = join(this.directory, "blobs", "sha256");
    this.#names = new DirectoryFlush(this.#blobs);
  }

  path(digest: Digest): string {
    return join(this.#blobs, digestHex(parseDigest(digest)));
  }

  put(source: BlobSource, options: PutOptions = {}): Promise<BlobDescriptor> {
    return guarded("storing a blob", async () => {
      if (!(source instanceof Uint8Array)) return this.#putStaged(source, options);
      checkSize(source.length, options.maxBytes);
      const digest = sha256(source);
      checkExpected(digest, options.expected);
      if (!(await this.#reuse(digest, source.length))) {
        const staged = await this.#stage();
        try {
          writeNew(staged, [source]);
        } catch (cause) {
          rmSync(staged, { force: true });
          throw cause;
        }
        this.#publish(staged, digest);
      }
      return { digest, size: source.length };
    });
  }

  async get(digest: Digest, options: ReadOptions = {}): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.stream(digest, { maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES })) parts.push(part);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async *stream(digest: Digest, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const path = this.path(digest);
    const size = this.#statBlob(digest).size;
    checkSize(size, options.maxBytes);
    const descriptor = openBlob(path);
    try {
      const h = createHash("sha256");
      let held: Uint8Array | undefined;
      for (let read = 0; ; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - read + 1));
        const count = readSync(descriptor, chunk, 0, chunk.length, null);
        if (count === 0) break;
        read += count;
        // A file that grows is no blob; without this bound its reader would follow it for ever.
        if (read > size) break;
        const part = chunk.subarray(0, count);
        h.update(part);
        if (held !== undefined) yield held;
        held = part;
      }
      const found = `sha256:${h.digest("hex")}`;
      if (found !== digest || fstatSync(descriptor).size !== size) this.#refuse(digest, `bytes with digest ${found}`);
      if (held !== undefined) yield held;
    } finally {
      closeSync(descriptor);
    }
  }

  async has(digest: Digest): Promise<boolean> {
    return lstatSync(this.path(digest), { throwIfNoEntry: false })?.isFile() === true;
  }

  async size(digest: Digest): Promise<number> {
    return this.#statBlob(digest).size;
  }

  delete(digest: Digest): Promise<void> {
    return guarded("deleting a blob", () => rmSync(this.path(digest), { force: true }));
  }

  async *list(): AsyncGenerator<BlobDescriptor> {
    for (const name of readdirSync(this.#blobs).sort()) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest)) continue;
      const stat = lstatSync(this.path(digest), { throwIfNoEntry: false });
      if (stat?.isFile()) yield { digest, size: stat.size };
    }
  }

  durable(): Promise<void> {
    return guarded("making blobs durable", async () => {
      const pending = [...this.#unsynced];
      if (pending.length === 0) return;
      let next = 0;
      const worker = async () => {
        for (let path = pending[next++]; path !== undefined; path = pending[next++]) await syncFile(path);
      };
      // The journal commits several fsyncs at once, if they wait together.
      await Promise.all([worker(), worker(), worker(), worker()]);
      syncDirectory(this.#blobs);
      for (const path of pending) this.#unsynced.delete(path);
    });
  }

  usedAt(digest: Digest): number | undefined {
    return lstatSync(this.path(digest), { throwIfNoEntry: false })?.mtimeMs;
  }

  use(digest: Digest): Promise<boolean> {
    return guarded("using a blob", async () => {
      const lock = await this.#home.lock("content", { shared: true });
      try {
        if (!(await this.has(digest))) return false;
        const now = new Date();
        utimesSync(this.path(digest), now, now);
        return true;
      } finally {
        lock.release();
      }
    });
  }

  adopt(file: string, known: BlobDescriptor): Promise<boolean> {
    return guarded("storing a blob", async () => {
      const { digest, size } = known;
      const descriptor = openSync(file, constants.O_RDONLY | NO_FOLLOW);
      try {
        const stat = fstatSync(descriptor);
        if (!stat.isFile() || stat.size !== size) {
          throw storeErrors.make("STORE_BLOB_MISMATCH", `expected a file of ${size} bytes, found ${stat.size}`);
        }
        if (await this.#reuse(digest, size)) {
          rmSync(file);
          // Whoever put it may not have reached its barrier yet.
          await syncFile(this.path(digest));
          await this.#names.flush();
          this.#unsynced.delete(this.path(digest));
          return true;
        }
        fchmodSync(descriptor, BLOB_MODE);
        // It may have come in over days: to a prune the blob is put now.
        if (Math.abs(stat.mtimeMs - Date.now()) > 1000) futimesSync(descriptor, new Date(), new Date());
        await flushed(descriptor);
      } finally {
        closeSync(descriptor);
      }
      this.#publish(file, digest);
      await this.#names.flush();
      this.#unsynced.delete(this.path(digest));
      return false;
    });
  }

  async deleteUnused(digest: Digest, since: number, isNeeded?: () => boolean): Promise<number> {
    const lock = await this.#home.lock("content");
    try {
      const stat = lstatSync(this.path(digest), { throwIfNoEntry: false });
      if (stat === undefined || stat.mtimeMs > since || isNeeded?.() === true) return 0;
      unlinkSync(this.path(digest));
      return stat.size;
    } finally {
      lock.release();
    }
  }

  quarantine(digest: Digest): void {
    const place = join(this.#home.paths.quarantine, `blob-${digestHex(digest)}-${randomBytes(4).toString("hex")}`);
    try {
      renameSync(this.path(digest), place);
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
    }
  }

  async #putStaged(source: Exclude<BlobSource, Uint8Array>, options: PutOptions): Promise<BlobDescriptor> {
    const staged = await this.#stage();
    try {
      const { digest, size } =
        "file" in source ? takeFile(source, staged, options) : await drain(source, staged, options);
      checkExpected(digest, options.expected);
      if (await this.#reuse(digest, size)) rmSync(staged);
      else this.#publish(staged, digest);
      return { digest, size };
    } catch (cause) {
      rmSync(staged, { force: true });
      throw cause;
    }
  }

  async #stage(): Promise<string> {
    this.#staging ??= this.#home.scratch("put");
    return join(await this.#staging, randomBytes(8).toString("hex"));
  }

  #publish(staged: string, digest: Digest): void {
    const path = this.path(digest);
    try {
      // A link, unlike a rename, refuses to replace what another writer put there meanwhile.
      linkSync(staged, path);
      unlinkSync(staged);
    } catch (cause) {
      if ((cause as { code?: string }).code === "EEXIST") rmSync(staged, { force: true });
      // Not every file system has hard links; there a rename replaces equal bytes by equal bytes.
      else renameSync(staged, path);
    }
    this.#unsynced.add(path);
  }

  /** True when the blob is there already and sound, which then counts as put now. */
  async #reuse(digest: Digest, size: number): Promise<boolean> {
    const path = this.path(digest);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    // Shared with other writers, and exclusive of a prune that has just decided to delete this very blob.
    const lock = await this.#home.lock("content", { shared: true });
    try {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return false;
      if (!stat.isFile() || stat.size !== size || (size <= COMPARE_BYTES && hashFile(path).digest !== digest)) {
        this.quarantine(digest);
        return false;
      }
      const now = new Date();
      utimesSync(path, now, now);
      // It may be another process that wrote it and has not reached its barrier: ours covers it too.
      this.#unsynced.add(path);
      return true;
    } finally {
      lock.release();
    }
  }

  #statBlob(digest: Digest): Stats {
    const stat = lstatSync(this.path(digest), { throwIfNoEntry: false });
    if (stat === undefined) throw storeErrors.make("STORE_BLOB_MISSING", `expected a blob ${digest}, found none`);
    if (!stat.isFile()) this.#refuse(digest, "something that is no plain file");
    return stat;
  }

  #refuse(digest: Digest, found: string): never {
    this.quarantine(digest);
    throw storeErrors.make("STORE_BLOB_CORRUPT", `expected a file with digest ${digest}, found ${found}`);
  }
}

function checkExpected(digest: Digest, expected: Digest | undefined): void {
  if (expected !== undefined && digest !== expected) {
    throw storeErrors.make("STORE_BLOB_MISMATCH", `expected content with digest ${expected}, found ${digest}`);
  }
}

function writeNew(path: string, parts: Iterable<Uint8Array>): void {
  const descriptor = openSync(path, "wx", BLOB_MODE);
  try {
    for (const part of parts) writeAll(descriptor, part);
  } finally {
    closeSync(descriptor);
  }
}

async function drain(source: AsyncIterable<Uint8Array>, staged: string, options: PutOptions): Promise<BlobDescriptor> {
  const h = createHash("sha256");
  let size = 0;
  const descriptor = openSync(staged, "wx", BLOB_MODE);
  try {
    for await (const part of source) {
      size += part.length;
      checkSize(size, options.maxBytes);
      h.update(part);
      writeAll(descriptor, part);
    }
  } finally {
    closeSync(descriptor);
  }
  return { digest: `sha256:${h.digest("hex")}`, size };
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    // Deleted or quarantined since: nothing left to promise.
    if (isAbsent(cause)) return undefined;
    throw cause;
  });
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
