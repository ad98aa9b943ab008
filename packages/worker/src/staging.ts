import { chmodSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LaunchOperation, mountFlag } from "./launcher.ts";

/** What this host can do for private views of inputs. */
export interface MountAbilities {
  /** True when we are root: mounts are made as root, and the step's user is another one. */
  readonly root: boolean;
  /** True when an overlay can be mounted with its upper directory below the worker's directory. */
  readonly overlay: boolean;
  /** True when a mount can show files of ours as files of the step's user. Root only. */
  readonly idmap: boolean;
  /** Device number of the file system on which the abilities were tried. */
  readonly device: number;
}

/** Who a step is on the host. */
export interface StepUser {
  readonly user: number;
  readonly group: number;
}

/** Where root's private mounts are staged; exists on the host as an empty directory, filled only in private. */
export const stage = "/run/touchmark/stage";

/** Collects what the launcher must do so that the sandbox program reaches host paths (SPEC W7). */
export class Staging {
  readonly #operations: LaunchOperation[] = [];
  readonly #scratch: string;
  readonly #user: StepUser;
  readonly can: MountAbilities;
  #count = 0;
  #private: boolean;

  /**
   * @param scratch directory of this run, for upper directories and copies
   * @param always true when a mount namespace of our own is wanted in any case
   */
  constructor(scratch: string, user: StepUser, can: MountAbilities, always: boolean) {
    this.#private = always;
    this.#scratch = scratch;
    this.#user = user;
    this.can = can;
  }

  /** All operations, with those first that make a mount namespace of our own. */
  finish(): LaunchOperation[] {
    const first: LaunchOperation[] = [];
    if (this.can.root) first.push(["private"], ["mount", "tmpfs", stage, "tmpfs", 6, "mode=0755,size=1m"]);
    else if (this.#private) first.push(["own", this.#user.user, this.#user.group]);
    return [...first, ...this.#operations];
  }

  next(): number {
    return this.#count++;
  }

  /** Path by which the sandbox program reaches a host path. */
  reach(host: string, staged: boolean): string {
    if (!this.can.root || !staged) return host;
    const at = this.#place(host);
    this.#operations.push(["mount", host, at, "none", mountFlag.bindAll, ""]);
    return at;
  }

  /** The same for an input, whose files become the step's. */
  lend(host: string): string {
    if (!this.can.root || !this.canLend(host)) return this.reach(host, true);
    const at = this.#place(host);
    this.#operations.push(this.#idmap(host, at));
    return at;
  }

  /** As root, an input can be lent when its file system can map owners; it was tried on one. */
  canLend(host: string): boolean {
    return !this.can.root || (this.can.idmap && lstatSync(host).dev === this.can.device);
  }

  /** A directory of this run. */
  own(name: string): string {
    const path = join(this.#scratch, name);
    mkdirSync(path, { mode: 0o755 });
    return path;
  }

  /**
   * Merges layers and gives the path of the result. `upper` and `work` are directories of this run; without them the
   * result is read-only.
   *
   * @param top directory of ours above the lower one
   */
  overlay(lower: string, above: { upper: string; work: string } | { top: string }): string {
    const number = this.next();
    this.#private = true;
    const area = this.can.root ? `${stage}/${this.next()}` : this.#scratch;
    if (this.can.root) {
      // The step's user walks through it to the merged view; on the host it stays below a directory of ours alone.
      chmodSync(this.#scratch, 0o711);
      this.#operations.push(["directory", area], ["mount", this.#scratch, area, "none", mountFlag.bind, ""]);
    }
    for (const name of ["lower", "merged"]) this.own(`${name}${number}`);
    const at = `${area}/lower${number}`;
    this.#operations.push(this.can.root ? this.#idmap(lower, at) : ["mount", lower, at, "none", mountFlag.bindAll, ""]);
    // Relative paths, since an option of mount(2) can hold neither a comma nor a colon of ours.
    let layers = `lowerdir=lower${number}`;
    let flags = mountFlag.noSetuid | mountFlag.noDevices;
    if ("top" in above) {
      this.own(`top${number}`);
      this.#operations.push(["mount", above.top, `${area}/top${number}`, "none", mountFlag.bind, ""]);
      layers = `lowerdir=top${number}:lower${number}`;
      flags |= mountFlag.readOnly;
    } else layers += `,upperdir=${above.upper},workdir=${above.work}`;
    this.#operations.push(
      ["enter", area],
      ["mount", "overlay", `merged${number}`, "overlay", flags, `${layers}${this.can.root ? "" : ",userxattr"}`],
      ["enter", "/"],
    );
    return `${area}/merged${number}`;
  }

  #idmap(host: string, at: string): LaunchOperation {
    const owner = statSync(host);
    return ["idmap", host, at, owner.uid, this.#user.user, owner.gid, this.#user.group];
  }

  /** A place below `stage`, for a directory or a file like `host`. */
  #place(host: string): string {
    const at = `${stage}/${this.next()}`;
    this.#operations.push([lstatSync(host).isDirectory() ? "directory" : "file", at]);
    return at;
  }
}
