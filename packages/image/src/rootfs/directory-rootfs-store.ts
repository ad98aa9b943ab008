import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, isDigest, isFactoryError, parseDigest, sha256 } from "@touchmark/core";
import { checkConfigPlatform, type OciReader, type Platform } from "@touchmark/formats/oci";
import {
  guarded,
  isAbsent,
  type Lock,
  makeDirectory,
  readIfPresent,
  reclaimScratch,
  removeTree,
  ScratchSpace,
  takeLock,
  tryLock,
  writeFileAtomically,
} from "@touchmark/store";
import type { RootfsVerification } from "../rootfs.ts";
import { deriveListing } from "../unpack/derive-listing.ts";
import { readImage, unpackImage } from "../unpack/unpack-image.ts";
import { rootfsErrors } from "./errors.ts";
import { imageFacts } from "./image-facts.ts";
import { listingText, parseListing } from "./listing.ts";
import { parseRecord, type RootfsRecord, recordText } from "./record.ts";
import type {
  EnsureOptions,
  LeasedRootfs,
  RootfsPruneOptions,
  RootfsPruneReport,
  RootfsStore,
  RootfsStoreOptions,
  StoredRootfs,
} from "./rootfs-store.ts";
import { Stamps, takeStamps } from "./stamps.ts";
import { verifyTree } from "./verify-tree.ts";

const parts = ["sha256", "locks", "work", "quarantine"] as const;
/** Longest wait for another process that unpacks the same image. */
const patienceMs = 30 * 60_000;

/**
 * `sha256/HEX/` with `root`, `listing`, `stamps`, `record.json` and `used`, whose time is that of the last use. It comes
 * into being by a rename and goes by one; `locks/HEX.lock` is held shared by whoever uses it.
 */
export class DirectoryRootfsStore implements RootfsStore {
  readonly #options: RootfsStoreOptions;
  readonly #directory: string;
  readonly #scratch: ScratchSpace;
  #ready: Promise<void> | undefined;

  constructor(options: RootfsStoreOptions) {
    this.#options = options;
    this.#directory = options.directory;
    this.#scratch = new ScratchSpace(this.#at("work"), this.#at("locks"));
  }

  ensure(reader: OciReader, reference: string, platform: Platform, options: EnsureOptions = {}): Promise<LeasedRootfs> {
    return guarded("unpacking an image", async () => {
      await this.#open();
      const known = isDigest(reference) && this.#has(reference);
      const image = known ? reference : (await readImage(reader, reference, platform)).digest;
      const lease = await this.#lease(image);
      try {
        if (!this.#has(image)) await this.#unpack(reader, image, platform, options);
        const record = this.#record(image);
        const { platform: found, ...facts } = record.facts;
        checkConfigPlatform({ ...found, rootfs: { type: "layers", diff_ids: [] } }, platform);
        const now = this.#options.clock.now();
        utimesSync(join(this.#place(image), "used"), now, now);
        const root = join(this.#place(image), "root");
        return { ...facts, listing: record.listing, directory: root, release: () => lease.release() };
      } catch (cause) {
        if (isDamage(cause)) this.#setAside(image);
        lease.release();
        throw cause;
      }
    });
  }

  verify(image: Digest, how: RootfsVerification): Promise<void> {
    return this.#checked(image, async (record) => {
      const place = this.#place(image);
      const entries = parseListing(this.#text(image, "listing"), record);
      const stamps = how === "listing" ? Stamps.read(readIfPresent(join(place, "stamps")), entries.length) : undefined;
      const { unstamped } = verifyTree(join(place, "root"), entries, stamps);
      // Until then, what was written right before the stamps is read again each time.
      if (unstamped > 0) writeFileAtomically(join(place, "stamps"), takeStamps(join(place, "root"), entries));
    });
  }

  derive(reader: OciReader, image: Digest, platform: Platform): Promise<void> {
    return this.#checked(image, async (record) => {
      const { limits } = this.#options;
      const options = { reader, digest: image, platform, ...(limits === undefined ? {} : { limits }) };
      const { config, listing } = await deriveListing(options);
      const found = sha256(listingText(imageFacts(image, config, listing), listing.entries));
      if (found !== record.listing) {
        throw rootfsErrors.make("ROOTFS_NOT_DERIVED", `expected the listing ${found}, found ${record.listing}`);
      }
    });
  }

  async list(): Promise<readonly StoredRootfs[]> {
    await this.#open();
    const found: StoredRootfs[] = [];
    for (const image of this.#images()) {
      const used = lstatSync(join(this.#place(image), "used"), { throwIfNoEntry: false });
      const record = ignoreDamage(() => this.#record(image));
      if (used === undefined || record === undefined) continue;
      const { platform, files, bytes } = record.facts;
      found.push({ image, platform, listing: record.listing, files, bytes, usedAt: used.mtime });
    }
    return found;
  }

  prune(options: RootfsPruneOptions): Promise<RootfsPruneReport> {
    return guarded("pruning unpacked images", async () => {
      const stored = [...(await this.list())].sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
      const { maxAgeSeconds = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, dryRun = false } = options;
      const oldest = this.#options.clock.now().getTime() - maxAgeSeconds * 1000;
      const bytesBefore = stored.reduce((sum, { bytes }) => sum + bytes, 0);
      const deleted: Digest[] = [];
      const inUse: Digest[] = [];
      let left = bytesBefore;
      for (const { image, bytes, usedAt } of stored) {
        if (usedAt.getTime() >= oldest && left <= maxBytes) continue;
        if (!(await this.#delete(image, dryRun))) {
          inUse.push(image);
          continue;
        }
        deleted.push(image);
        left -= bytes;
      }
      const quarantined = this.#pruneQuarantine(oldest, dryRun);
      return { dryRun, bytesBefore, freedBytes: bytesBefore - left, deleted, inUse, quarantined };
    });
  }

  /** Runs a check on an image that is there, which is set aside when it fails. */
  #checked(image: Digest, check: (record: RootfsRecord) => Promise<void>): Promise<void> {
    return guarded("verifying an unpacked image", async () => {
      await this.#open();
      const lease = await this.#lease(image);
      try {
        if (!this.#has(image)) {
          throw rootfsErrors.make("ROOTFS_MISSING", `expected the image ${image} to be unpacked, found it is not`);
        }
        await check(this.#record(image));
      } catch (cause) {
        if (isDamage(cause)) this.#setAside(image);
        throw cause;
      } finally {
        lease.release();
      }
    });
  }

  async #unpack(reader: OciReader, image: Digest, platform: Platform, options: EnsureOptions): Promise<void> {
    const lock = await takeLock(this.#lockFile(image, "unpack"), { timeoutMs: patienceMs });
    try {
      if (this.#has(image)) return;
      const staging = await this.#scratch.make("rootfs");
      try {
        await this.#fill(staging, reader, image, platform, options);
        // Something without a record is not of our making.
        this.#setAside(image);
        renameSync(staging, this.#place(image));
      } finally {
        // Moved away, or of no use.
        await this.#scratch.release(staging);
      }
    } finally {
      lock.release();
    }
  }

  async #fill(
    staging: string,
    reader: OciReader,
    image: Digest,
    platform: Platform,
    options: EnsureOptions,
  ): Promise<void> {
    const { owner, limits, clock } = this.#options;
    const root = join(staging, "root");
    const { config, listing } = await unpackImage({
      ...options,
      reader,
      digest: image,
      platform,
      directory: root,
      ...(owner === undefined ? {} : { owner }),
      ...(limits === undefined ? {} : { limits }),
    });
    const facts = imageFacts(image, config, listing);
    const text = listingText(facts, listing.entries);
    const record = { facts, listing: sha256(text), unpackedAt: clock.now().toISOString() };
    const write = (name: string, content: string | Uint8Array) =>
      writeFileSync(join(staging, name), content, { mode: 0o600 });
    write("listing", text);
    write("stamps", takeStamps(root, listing.entries));
    write("record.json", recordText(record));
    write("used", "");
  }

  async #lease(image: Digest): Promise<Lock> {
    return takeLock(this.#lockFile(image, "use"), { shared: true });
  }

  /** False when somebody uses it. It disappears at once; the deletion itself may take long. */
  async #delete(image: Digest, dryRun: boolean): Promise<boolean> {
    const lock = await tryLock(this.#lockFile(image, "use"));
    if (lock === undefined) return false;
    if (dryRun) {
      lock.release();
      return true;
    }
    const aside = await this.#scratch.make("deleted");
    try {
      renameSync(this.#place(image), join(aside, "rootfs"));
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
    } finally {
      lock.release();
      await this.#scratch.release(aside);
    }
    return true;
  }

  #setAside(image: Digest): void {
    const name = `${this.#name(image)}-${randomBytes(4).toString("hex")}`;
    try {
      renameSync(this.#place(image), this.#at("quarantine", name));
      const now = this.#options.clock.now();
      utimesSync(this.#at("quarantine", name), now, now);
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
    }
  }

  #pruneQuarantine(oldest: number, dryRun: boolean): number {
    let count = 0;
    for (const name of readdirSync(this.#at("quarantine"))) {
      const place = this.#at("quarantine", name);
      if (lstatSync(place).mtimeMs >= oldest) continue;
      if (!dryRun) removeTree(place);
      count++;
    }
    return count;
  }

  #images(): Digest[] {
    const end = this.#suffix();
    return readdirSync(this.#at("sha256"))
      .filter((name) => name.endsWith(end) && name.length === 64 + end.length)
      .map((name) => `sha256:${name.slice(0, 64)}`)
      .filter(isDigest)
      .sort();
  }

  #has(image: Digest): boolean {
    return lstatSync(join(this.#place(image), "record.json"), { throwIfNoEntry: false })?.isFile() === true;
  }

  #record(image: Digest): RootfsRecord {
    return parseRecord(readFileSync(join(this.#place(image), "record.json")), image);
  }

  #text(image: Digest, name: string): string {
    const bytes = readIfPresent(join(this.#place(image), name));
    if (bytes === undefined) throw rootfsErrors.make("ROOTFS_CHANGED", `expected the ${name} of ${image}, found none`);
    return bytes.toString();
  }

  /** Files of another owner are another tree. */
  #suffix(): string {
    const { owner } = this.#options;
    return owner === undefined ? "" : `-${owner.uid}-${owner.gid}`;
  }

  #name(image: Digest): string {
    return `${digestHex(parseDigest(image))}${this.#suffix()}`;
  }

  #place(image: Digest): string {
    return this.#at("sha256", this.#name(image));
  }

  #lockFile(image: Digest, use: "use" | "unpack"): string {
    return this.#at("locks", `${use}-${this.#name(image)}.lock`);
  }

  #at(...names: readonly string[]): string {
    return join(this.#directory, ...names);
  }

  #open(): Promise<void> {
    this.#ready ??= (async () => {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      for (const name of parts) makeDirectory(this.#at(name));
      await reclaimScratch(this.#at("work"), this.#at("locks"));
    })();
    return this.#ready;
  }
}

function isDamage(cause: unknown): boolean {
  return isFactoryError(cause) && /^ROOTFS_(?:CHANGED|NOT_DERIVED)$/.test(cause.code);
}

function ignoreDamage<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (isFactoryError(cause) || isAbsent(cause)) return undefined;
    throw cause;
  }
}
