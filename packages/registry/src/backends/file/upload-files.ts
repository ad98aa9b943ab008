import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { type Home, isAbsent, type Lock } from "@touchmark/store";

/** Files of uploads below one directory a process, which it holds by a lock of the kernel. */
export class UploadFiles {
  readonly #home: Home;
  readonly #uploads: string;
  #owner: Promise<{ readonly directory: string; readonly lock: Lock; readonly lockFile: string }> | undefined;

  constructor(home: Home) {
    this.#home = home;
    this.#uploads = join(home.paths.registry, "uploads");
  }

  /** Path of an upload of this process. Its name holds the repository, so that an id of another one leads nowhere. */
  async path(repository: string, id: string): Promise<string> {
    return join((await this.#own()).directory, nameOf(repository, id));
  }

  /** Bytes of an upload, whoever holds it; undefined when there is none. */
  async size(repository: string, id: string): Promise<number | undefined> {
    for (const owner of this.#owners()) {
      const stat = lstatSync(join(this.#uploads, owner, nameOf(repository, id)), { throwIfNoEntry: false });
      if (stat !== undefined) return stat.size;
    }
    return undefined;
  }

  /**
   * Takes over an upload of a process that is no more. `busy` when its process lives: two that write to one file would
   * spoil it.
   */
  async takeOver(repository: string, id: string): Promise<"mine" | "busy" | "none"> {
    const name = nameOf(repository, id);
    const own = await this.#own();
    for (const owner of this.#owners()) {
      const path = join(this.#uploads, owner, name);
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
      if (join(this.#uploads, owner) === own.directory) return "mine";
      const lock = await this.#home.lock(`registry-${owner}`, { timeoutMs: 0 }).catch(() => undefined);
      if (lock === undefined) return "busy";
      try {
        renameSync(path, join(own.directory, name));
        return "mine";
      } catch (cause) {
        if (!isAbsent(cause)) throw cause;
      } finally {
        lock.release();
      }
    }
    return "none";
  }

  /** Paths of uploads that nobody wrote to since the given time, whoever began them. */
  async abandoned(before: number): Promise<string[]> {
    const own = await this.#own();
    const found: string[] = [];
    for (const owner of this.#owners()) {
      const directory = join(this.#uploads, owner);
      for (const name of readdirSync(directory)) {
        const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
        if (stat !== undefined && stat.mtimeMs <= before) found.push(join(directory, name));
      }
      if (directory !== own.directory) await this.#forget(owner);
    }
    return found;
  }

  async close(): Promise<void> {
    const own = await this.#owner?.catch(() => undefined);
    this.#owner = undefined;
    if (own === undefined) return;
    try {
      rmdirSync(own.directory);
      rmSync(own.lockFile, { force: true });
    } catch {
      // Uploads are left in it: the next process takes them over.
    }
    own.lock.release();
  }

  #owners(): string[] {
    try {
      return readdirSync(this.#uploads).filter((name) => /^[0-9]+-[0-9a-f]{8}$/.test(name));
    } catch (cause) {
      if (isAbsent(cause)) return [];
      throw cause;
    }
  }

  /** Deletes the directory of a dead process once it is empty. */
  async #forget(owner: string): Promise<void> {
    const lock = await this.#home.lock(`registry-${owner}`, { timeoutMs: 0 }).catch(() => undefined);
    if (lock === undefined) return;
    try {
      rmdirSync(join(this.#uploads, owner));
      rmSync(join(this.#home.paths.locks, `registry-${owner}.lock`), { force: true });
    } catch {
      // Uploads are left in it.
    } finally {
      lock.release();
    }
  }

  #own() {
    this.#owner ??= this.#take().catch((cause: unknown) => {
      // A disk that was full may have room the next time.
      this.#owner = undefined;
      throw cause;
    });
    return this.#owner;
  }

  async #take() {
    const name = `${process.pid}-${randomBytes(4).toString("hex")}`;
    const lock = await this.#home.lock(`registry-${name}`);
    const directory = join(this.#uploads, name);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return { directory, lock, lockFile: join(this.#home.paths.locks, `registry-${name}.lock`) };
  }
}

/** True for what `begin` answers; nothing else is ever joined to a path. */
export function isUploadId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id);
}

function nameOf(repository: string, id: string): string {
  return `${id}-${sha256(repository).slice("sha256:".length, "sha256:".length + 32)}`;
}
