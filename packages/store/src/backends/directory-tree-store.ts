import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  constants,
  cpSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import {
  type Digest,
  digestHex,
  isDigest,
  isFactoryError,
  parseDigest,
  type TreeEntry,
  treeDigest,
} from "@touchmark/core";
import { checkDirectory, hashDirectory, hashWalk, refuseLinksOutside } from "../directory.ts";
import { syncDirectory, writeFileAtomically } from "../durable-file.ts";
import { storeErrors } from "../errors.ts";
import type { Home } from "../home.ts";
import { removeTree } from "../remove-tree.ts";
import { guarded, isAbsent, systemCode } from "../system-failure.ts";
import { treeLimits } from "../tree-limits.ts";
import { linksOutside } from "../tree-links.ts";
import { listOf, parseTreeList } from "../tree-list.ts";
import type { IngestedTree, IngestOptions, TreeStore } from "../tree-store.ts";
import { type TarStream, type TreeTarOptions, treeTar } from "../tree-tar.ts";
import { type TreeWalk, walkTree } from "../tree-walk.ts";

// What is stored was admitted once; the reader's limits only keep a planted monster from taking for ever.
const storedLimits = { maxEntries: 5_000_000, maxBytes: 2 ** 50, maxPathBytes: 4096, maxDepth: 1024 };

/** Opens the home's tree store: `trees/sha256/<hex>/root` with the files, and `list` with the canonical list. */
export async function openTreeStore(home: Home): Promise<TreeStore> {
  return guarded("opening the tree store", () => {
    mkdirSync(join(home.paths.trees, "sha256"), { recursive: true, mode: 0o700 });
    return new DirectoryTreeStore(home);
  });
}

class DirectoryTreeStore implements TreeStore {
  readonly #home: Home;
  readonly #trees: string;

  constructor(home: Home) {
    this.#home = home;
    this.#trees = join(home.paths.trees, "sha256");
  }

  ingest(directory: string, options: IngestOptions = {}): Promise<IngestedTree> {
    return guarded(`storing the tree ${directory}`, async () => {
      const limits = treeLimits(options.limits);
      checkDirectory(directory);
      // Everything is looked at before anything is altered: the mode of a file with a name outside is not ours to set.
      const before = walkTree(directory, { limits, inspect: true });
      if (options.linksOutside !== "keep") refuseLinksOutside(before);
      const staging = await this.#home.scratch("tree");
      try {
        const root = join(staging, "root");
        const walk = bring(directory, root, options.mode ?? "move")
          ? walkTree(root, { limits, inspect: true })
          : before;
        return await this.#store(staging, walk, options);
      } finally {
        await this.#home.releaseScratch(staging);
      }
    });
  }

  root(digest: Digest): string {
    return join(this.#directory(digest), "root");
  }

  async has(digest: Digest): Promise<boolean> {
    return lstatSync(this.root(digest), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  use(digest: Digest): Promise<boolean> {
    return guarded("using a tree", async () => {
      const lock = await this.#home.lock("content", { shared: true });
      try {
        if (!(await this.has(digest))) return false;
        const now = new Date();
        utimesSync(join(this.#directory(digest), "list"), now, now);
        return true;
      } catch (cause) {
        if (isAbsent(cause)) return false;
        throw cause;
      } finally {
        lock.release();
      }
    });
  }

  entries(digest: Digest): Promise<TreeEntry[]> {
    return guarded("reading a tree's list", () => {
      try {
        return parseTreeList(readFileSync(join(this.#directory(digest), "list"), "utf8"), digest);
      } catch (cause) {
        throw isAbsent(cause) ? this.#missing(digest) : cause;
      }
    });
  }

  verify(digest: Digest): Promise<void> {
    return guarded("verifying a tree", async () => {
      if (!(await this.has(digest))) throw this.#missing(digest);
      let found: Digest | undefined;
      let cause: unknown;
      try {
        await this.entries(digest);
        found = treeDigest(await hashDirectory(this.root(digest), { limits: storedLimits, linksOutside: "keep" }));
      } catch (thrown) {
        // A FIFO where a file stood, an unreadable name, a missing list: each means that this is not the tree. A
        // failing disk says nothing about it.
        if (!isFactoryError(thrown) || thrown.nature === "unavailable") throw thrown;
        cause = thrown;
      }
      if (found === digest) return;
      this.#quarantine(digest);
      throw storeErrors.make(
        "STORE_TREE_CORRUPT",
        `expected files with tree digest ${digest}, found ${found ?? (cause as Error).message}`,
        { cause },
      );
    });
  }

  toTar(digest: Digest, options: TreeTarOptions = {}): TarStream {
    return treeTar(this.root(digest), () => this.entries(digest), options);
  }

  delete(digest: Digest): Promise<void> {
    return guarded("deleting a tree", async () => {
      await this.#remove(digest);
    });
  }

  async *list(): AsyncGenerator<{ digest: Digest; usedAt: number }> {
    for (const name of readdirSync(this.#trees).sort()) {
      const digest = `sha256:${name}`;
      if (!isDigest(digest)) continue;
      const path = this.#directory(digest);
      const stat =
        lstatSync(join(path, "list"), { throwIfNoEntry: false }) ?? lstatSync(path, { throwIfNoEntry: false });
      if (stat !== undefined) yield { digest, usedAt: stat.mtimeMs };
    }
  }

  async size(digest: Digest): Promise<number> {
    return bytesOf(await this.entries(digest));
  }

  deleteUnused(digest: Digest, since: number): Promise<number> {
    return guarded("pruning a tree", async () => {
      const lock = await this.#home.lock("content");
      let aside: string | undefined;
      try {
        const stat = lstatSync(join(this.#directory(digest), "list"), { throwIfNoEntry: false });
        if (stat !== undefined && stat.mtimeMs > since) return 0;
        aside = await this.#moveAside(digest);
      } finally {
        lock.release();
      }
      return aside === undefined ? 0 : this.#removeAside(aside);
    });
  }

  async #store(staging: string, walk: TreeWalk, options: IngestOptions): Promise<IngestedTree> {
    const root = join(staging, "root");
    const limits = treeLimits(options.limits);
    const epochSeconds = options.epoch ?? 0;
    const owner = ownerFor(options);
    const durable = options.durable === true;
    const job = { maxFileBytes: limits.maxFileBytes, normalise: { epochSeconds, owner, durable } };
    const hashed = await hashWalk(root, walk, job, options);
    normaliseNames(root, walk, epochSeconds, owner, durable);
    const { text, digest } = listOf(hashed);
    const entries = parseTreeList(text, digest);
    writeFileAtomically(join(staging, "list"), text, { durable });
    const known = await this.#publish(staging, digest, durable);
    return { digest, entries, bytes: bytesOf(entries), known, linksOutside: linksOutside(walk) };
  }

  /** Moves a finished tree to its place; true when the same tree was there already. */
  async #publish(staging: string, digest: Digest, durable: boolean): Promise<boolean> {
    const place = this.#directory(digest);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await this.use(digest)) return true;
      // The scratch directory itself is moved; releasing it afterwards finds nothing.
      try {
        renameSync(staging, place);
      } catch (cause) {
        const code = systemCode(cause);
        if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "EPERM") throw cause;
        // Somebody else stored it meanwhile, or half of one lies there from a hand that is not ours.
        if (!(await this.use(digest))) this.#quarantine(digest);
        continue;
      }
      if (durable) syncDirectory(this.#trees);
      return false;
    }
    return this.use(digest);
  }

  #directory(digest: Digest): string {
    return join(this.#trees, digestHex(parseDigest(digest)));
  }

  #missing(digest: Digest): Error {
    return storeErrors.make("STORE_TREE_MISSING", `expected a tree ${digest}, found none`);
  }

  #quarantine(digest: Digest): void {
    const place = join(this.#home.paths.quarantine, `tree-${digestHex(digest)}-${randomBytes(4).toString("hex")}`);
    try {
      renameSync(this.#directory(digest), place);
    } catch (cause) {
      if (!isAbsent(cause)) throw cause;
    }
  }

  async #remove(digest: Digest): Promise<number> {
    const aside = await this.#moveAside(digest);
    return aside === undefined ? 0 : this.#removeAside(aside);
  }

  /** A tree disappears at once, so that no crash leaves half of one in its place. */
  async #moveAside(digest: Digest): Promise<string | undefined> {
    const aside = await this.#home.scratch("deleted");
    try {
      renameSync(this.#directory(digest), join(aside, "tree"));
      return aside;
    } catch (cause) {
      await this.#home.releaseScratch(aside);
      if (isAbsent(cause)) return undefined;
      throw cause;
    }
  }

  async #removeAside(aside: string): Promise<number> {
    const freed = removeTree(join(aside, "tree", "root"));
    await this.#home.releaseScratch(aside);
    return freed;
  }
}

/** Brings a directory into staging; true when it had to be copied, and so must be looked at again. */
function bring(directory: string, root: string, mode: "move" | "copy"): boolean {
  if (mode === "move") {
    try {
      renameSync(directory, root);
      return false;
    } catch (cause) {
      if (systemCode(cause) !== "EXDEV") throw cause;
    }
  }
  cpSync(directory, root, {
    recursive: true,
    dereference: false,
    verbatimSymlinks: true,
    errorOnExist: true,
    force: false,
    mode: constants.COPYFILE_FICLONE,
  });
  if (mode === "move") removeTree(directory);
  return true;
}

function ownerFor(options: IngestOptions): { uid: number; gid: number } | null {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  // Only root can give files away, and only root receives files of others.
  if (uid !== 0 || gid === undefined) return null;
  return options.owner ?? { uid, gid };
}

/** Makes links and directories canonical, deepest first, since touching a child touches its parent. */
function normaliseNames(
  root: string,
  walk: TreeWalk,
  epoch: number,
  owner: { uid: number; gid: number } | null,
  durable: boolean,
): void {
  for (const link of walk.links.keys()) {
    const path = join(root, link);
    if (owner !== null) lchownSync(path, owner.uid, owner.gid);
    lutimesSync(path, epoch, epoch);
  }
  for (const directory of ["", ...walk.directories].reverse()) {
    const path = join(root, directory);
    if (owner !== null) chownSync(path, owner.uid, owner.gid);
    chmodSync(path, 0o755);
    if (durable) syncDirectory(path);
    utimesSync(path, epoch, epoch);
  }
}

function bytesOf(entries: readonly TreeEntry[]): number {
  let sum = 0;
  for (const entry of entries) if (entry.kind === "file" || entry.kind === "executable") sum += entry.size;
  return sum;
}
