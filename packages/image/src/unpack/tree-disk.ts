import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { systemCode } from "@touchmark/store";
import { unpackErrors } from "./errors.ts";
import { shown } from "./tar-field.ts";

/** Whose all files become. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const creates = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** The system's longest path, with its final NUL. */
const longest = 4096;

/** Where the tree is made; paths are relative, and known to lead through directories alone. */
export interface TreePlace {
  directory(path: string): void;
  symlink(target: string, path: string, mtime: number): void;
  link(source: string, path: string): void;
  /** Opens a new file for writing; answers its descriptor. */
  open(path: string, mode: number): number;
  /** @param at offset of a sparse file; null: behind what was written */
  write(descriptor: number, bytes: Buffer, at: number | null): void;
  /** Gives a written file its length, owner, mode and time, and closes it. */
  close(descriptor: number, facts: { readonly mode: number; readonly mtime: number; readonly length?: number }): void;
  abandon(descriptor: number): void;
  removeFile(path: string): void;
  removeDirectory(path: string): void;
  /** Once nothing more is written below it. */
  finishDirectory(path: string, mode: number, mtime: number): void;
}

/** The directory that follows the tree in memory. Nothing is ever opened that exists: what is there unasked is refused. */
export class TreeDisk implements TreePlace {
  readonly #root: string;
  readonly #rootBytes: number;
  readonly #owner: Owner | undefined;
  readonly #umask = process.umask();

  /** @param owner undefined: whoever runs this, which needs no call */
  constructor(root: string, owner: Owner | undefined) {
    this.#root = root;
    this.#rootBytes = Buffer.byteLength(root);
    this.#owner = owner;
  }

  directory(path: string): void {
    this.#guarded(path, (place) => mkdirSync(place, 0o700));
  }

  symlink(target: string, path: string, mtime: number): void {
    this.#guarded(path, (place) => {
      symlinkSync(target, place);
      if (this.#owner !== undefined) lchownSync(place, this.#owner.uid, this.#owner.gid);
      lutimesSync(place, mtime, mtime);
    });
  }

  link(source: string, path: string): void {
    this.#guarded(path, (place) => linkSync(this.#place(source), place));
  }

  open(path: string, mode: number): number {
    return this.#guarded(path, (place) => openSync(place, creates, mode));
  }

  write(descriptor: number, bytes: Buffer, at: number | null): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, at === null ? null : at + done);
    }
  }

  close(descriptor: number, facts: { readonly mode: number; readonly mtime: number; readonly length?: number }): void {
    try {
      if (facts.length !== undefined) ftruncateSync(descriptor, facts.length);
      if (this.#owner !== undefined) fchownSync(descriptor, this.#owner.uid, this.#owner.gid);
      if ((facts.mode & this.#umask) !== 0) fchmodSync(descriptor, facts.mode);
      futimesSync(descriptor, facts.mtime, facts.mtime);
    } finally {
      closeSync(descriptor);
    }
  }

  abandon(descriptor: number): void {
    closeSync(descriptor);
  }

  removeFile(path: string): void {
    unlinkSync(this.#place(path));
  }

  removeDirectory(path: string): void {
    rmdirSync(this.#place(path));
  }

  finishDirectory(path: string, mode: number, mtime: number): void {
    const place = path === "" ? this.#root : this.#place(path);
    if (this.#owner !== undefined) chownSync(place, this.#owner.uid, this.#owner.gid);
    chmodSync(place, mode);
    utimesSync(place, mtime, mtime);
  }

  #place(path: string): string {
    return `${this.#root}/${path}`;
  }

  #guarded<T>(path: string, work: (place: string) => T): T {
    const place = this.#place(path);
    if (path.length * 3 + this.#rootBytes + 2 > longest && Buffer.byteLength(place) + 1 > longest) {
      throw unpackErrors.make("UNPACK_PATH_TOO_LONG", `expected paths that the system can spell, found ${shown(path)}`);
    }
    try {
      return work(place);
    } catch (cause) {
      const code = systemCode(cause);
      // The file system takes two names for one that we do not: by case, or by Unicode.
      if (code === "EEXIST") {
        throw unpackErrors.make("UNPACK_NAME_COLLIDES", `expected nothing at ${shown(path)}, found something`, {
          cause,
        });
      }
      if (code === "ENAMETOOLONG") {
        throw unpackErrors.make(
          "UNPACK_PATH_TOO_LONG",
          `expected paths that the system can spell, found ${shown(path)}`,
          {
            cause,
          },
        );
      }
      throw cause;
    }
  }
}
