import { type LinkBefore, type PathNode, PathTree, pathOf } from "./path-tree.ts";

/** What became of an object that lay there before the step, by its path then. Whether it existed is found out later. */
export interface BeforeUse {
  read: boolean;
  executed: boolean;
  listed: boolean;
  replaced: boolean;
  /** Every use would also have worked if there had been nothing (O_CREAT). */
  maybe: boolean;
}

/** Flags of an open, as far as they matter here. */
export interface OpenFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly directory: boolean;
  readonly pathOnly: boolean;
  readonly temporary: boolean;
}

/** Takes `O_RDWR|O_CREAT|0x…` apart. */
export function openFlags(text: string): OpenFlags {
  let flags = knownFlags.get(text);
  if (flags === undefined) {
    flags = parseFlags(text);
    if (knownFlags.size < 1000) knownFlags.set(text, flags);
  }
  return flags;
}

const knownFlags = new Map<string, OpenFlags>();

function parseFlags(text: string): OpenFlags {
  const flags = new Set(text.split("|"));
  const readWrite = flags.has("O_RDWR");
  const write = readWrite || flags.has("O_WRONLY");
  return {
    read: !flags.has("O_WRONLY"),
    write: write || flags.has("O_TRUNC"),
    create: flags.has("O_CREAT"),
    exclusive: flags.has("O_EXCL"),
    truncate: flags.has("O_TRUNC"),
    directory: flags.has("O_DIRECTORY"),
    pathOnly: flags.has("O_PATH"),
    temporary: flags.has("O_TMPFILE"),
  };
}

const MAX_NAMES = 200_000;

/** Follows what a step does to names and files, event by event. Paths are inside the sandbox, one character per byte. */
export class FileLedger {
  readonly tree: PathTree;
  readonly before = new Map<string, BeforeUse>();
  /** Files of the kernel (/proc, /sys, /dev) that were opened, with process ids replaced by `PID`. */
  readonly kernel = new Set<string>();
  /** Made by the step and removed again: path, and the earlier object's path if there may have been one. */
  readonly removed = new Map<string, string | undefined>();
  removedMore = 0;

  constructor(linkBefore: LinkBefore) {
    this.tree = new PathTree(linkBefore, MAX_NAMES * 5);
  }

  get overflowed(): boolean {
    return this.tree.overflowed || this.removedMore > 0;
  }

  /** A successful open; `path` is what the kernel says of the descriptor. */
  opened(path: string, deleted: boolean, flags: OpenFlags): void {
    if (flags.pathOnly || !path.startsWith("/")) return;
    if (isKernelPath(path)) {
      if (this.kernel.size < MAX_NAMES) this.kernel.add(path.replace(/^\/proc\/\d+(?:\/task\/\d+)?/, "/proc/PID"));
      return;
    }
    if (flags.temporary || (deleted && path.startsWith("/memfd:"))) return;
    // A removed file, which was seen when it was opened first, or one whose name ends so.
    const found = this.tree.at(deleted ? `${path} (deleted)` : path);
    const maybe = deleted || (flags.create && !flags.exclusive);
    if (found.state === "before" && flags.read && !flags.truncate && !(flags.create && flags.exclusive))
      this.#use(found, flags.directory ? "listed" : "read", maybe);
    if (flags.write || (flags.create && flags.exclusive)) this.#make(found, maybe);
    else if (found.state === "gone") found.state = "made";
  }

  /** @returns the path of the file before the step, when the step did not make it */
  executed(path: string): string | undefined {
    if (isKernelPath(path)) return undefined;
    const found = this.tree.at(path);
    if (found.state !== "before") return undefined;
    this.#use(found, "executed", false);
    return found.base;
  }

  truncated(path: string): void {
    const found = this.tree.resolve(path, true);
    if (found !== undefined) this.#make(found, false);
  }

  /** Something new at a name: a directory, node, link or symbolic link. */
  made(path: string, detail: { directory?: boolean; link?: string } = {}): void {
    const found = this.tree.resolve(path, false);
    if (found === undefined) return;
    // A made object never has an earlier one beneath it, unlike a file that is overwritten in place.
    found.base = undefined;
    found.children.clear();
    found.state = "made";
    found.directory = detail.directory ?? false;
    found.link = detail.link;
  }

  linked(from: string | undefined, to: string, followFrom: boolean): void {
    const source = from === undefined ? undefined : this.tree.resolve(from, followFrom);
    this.made(to, source?.link === undefined ? {} : { link: source.link });
    const target = this.tree.resolve(to, false);
    // A hard link to an earlier file: reading the new name reads that file.
    if (source?.state === "before" && target !== undefined) {
      target.base = source.base;
      target.state = "before";
      this.#linkedBefore.add(target);
    }
  }
  readonly #linkedBefore = new Set<PathNode>();

  /** Whether a name that the step made leads to an earlier object (a hard link). */
  isMade(found: PathNode): boolean {
    return found.state === "made" || this.#linkedBefore.has(found);
  }

  deleted(path: string): void {
    const found = this.tree.resolve(path, false);
    if (found === undefined) return;
    this.#drop(found);
    found.state = "gone";
    found.base = undefined;
    found.link = undefined;
    found.directory = false;
    found.children.clear();
  }

  renamed(from: string, to: string, exchange: boolean): void {
    const a = this.tree.resolve(from, false);
    const b = this.tree.resolve(to, false);
    if (a === undefined || b === undefined || a === b) return;
    if (exchange) {
      this.#replace(a);
      this.#replace(b);
      this.tree.exchange(a, b);
      return;
    }
    this.#replace(a);
    this.#drop(b);
    this.tree.move(a, b);
  }

  #use(found: PathNode, how: "read" | "executed" | "listed", maybe: boolean): void {
    if (found.base === undefined) return;
    const use = this.#before(found.base, maybe);
    if (use === undefined) return;
    use[how] = true;
    if (!maybe) use.maybe = false;
  }

  #make(found: PathNode, maybe: boolean): void {
    if (found.state === "before" && found.base !== undefined) {
      const use = this.#before(found.base, maybe);
      if (use !== undefined) {
        use.replaced = true;
        if (!maybe) use.maybe = false;
      }
    }
    found.state = "made";
  }

  /** The name no longer leads to the earlier object. */
  #replace(found: PathNode): void {
    if (found.state !== "before" || found.base === undefined || this.#linkedBefore.has(found)) return;
    const use = this.#before(found.base, true);
    if (use !== undefined) use.replaced = true;
  }

  #drop(found: PathNode): void {
    this.#replace(found);
    if (!this.isMade(found) || found.directory || found.link !== undefined) return;
    if (this.removed.size < MAX_NAMES) this.removed.set(pathOf(found), found.base);
    else this.removedMore++;
  }

  #before(base: string, maybe: boolean): BeforeUse | undefined {
    let use = this.before.get(base);
    if (use === undefined) {
      if (this.before.size >= MAX_NAMES) {
        this.tree.overflowed = true;
        return undefined;
      }
      use = { read: false, executed: false, listed: false, replaced: false, maybe };
      this.before.set(base, use);
    }
    return use;
  }
}

/** True below /proc, /sys and /dev, except for /dev/shm, which holds ordinary files. */
export function isKernelPath(path: string): boolean {
  const first = path.charCodeAt(1);
  if ((first !== 100 && first !== 112 && first !== 115) || path.startsWith("/dev/shm/")) return false;
  return /^\/(?:proc|sys|dev)(?:\/|$)/.test(path);
}
