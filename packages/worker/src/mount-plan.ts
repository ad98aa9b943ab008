import { spawn } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workerErrors } from "./errors.ts";
import type { StepJob, StepMount } from "./job.ts";
import { type LaunchOperation, mountFlag } from "./launcher.ts";
import { missingPlaces } from "./mount-places.ts";
import type { Degradation, MountRow } from "./result.ts";

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

/** How the inputs and the output of one job are made reachable. */
export interface MountPlan {
  /** For the launcher, in order. Empty when the sandbox program can bind everything by itself. */
  readonly operations: readonly LaunchOperation[];
  /** For the sandbox program: options that bind each place, in order. */
  readonly options: readonly string[];
  readonly rows: readonly MountRow[];
  /** Directories beside the output that the step can fill. */
  readonly writable: readonly string[];
  readonly degraded: readonly Degradation[];
}

/** Who a step is on the host. */
export interface StepUser {
  readonly user: number;
  readonly group: number;
}

/** Where root's private mounts are staged; exists on the host as an empty directory, filled only in private. */
export const stage = "/run/touchmark/stage";

/**
 * Plans the mounts of a job (SPEC W7). An input that must be writable, or in which a nested mount has no place yet,
 * becomes a private view: an overlay where the host can, else a copy. Everything else is bound as it is. As root,
 * sources are bound below `stage` first, because the step's user cannot walk through our home.
 *
 * @param scratch directory of this run, for upper directories and copies
 * @param shown rows of the constant view and the toolchains that root must stage
 */
export async function planMounts(
  job: StepJob,
  shown: readonly MountRow[],
  scratch: string,
  user: StepUser,
  abilities: MountAbilities,
): Promise<MountPlan> {
  const plan = new Planning(scratch, user, abilities);
  for (const row of shown) plan.show(row);
  for (const { host, at } of job.provided ?? []) plan.provide(host, at);
  const places = [...job.mounts.map((mount) => mount.at), job.output.at];
  const ordered = [...job.mounts].sort((a, b) => depth(a.at) - depth(b.at));
  for (const mount of ordered) await plan.input(mount, missingPlaces(mount, places, job.mounts));
  plan.output(job.output);
  return plan.finish();
}

class Planning {
  readonly #operations: LaunchOperation[] = [];
  readonly #options: string[] = [];
  readonly #rows: MountRow[] = [];
  readonly #writable: string[] = [];
  readonly #degraded: Degradation[] = [];
  readonly #scratch: string;
  readonly #user: StepUser;
  readonly #can: MountAbilities;
  #count = 0;
  #private = false;

  constructor(scratch: string, user: StepUser, can: MountAbilities) {
    this.#scratch = scratch;
    this.#user = user;
    this.#can = can;
  }

  show(row: MountRow): void {
    this.#rows.push(row);
    if (row.source === null) return;
    if (row.kind === "link") this.#options.push("--symlink", row.source, row.at);
    else this.#options.push("--ro-bind", this.#reach(row.source, this.#mustStage(row)), row.at);
  }

  provide(host: string, at: string): void {
    this.#options.push("--ro-bind", this.#lend(host), at);
    this.#rows.push({ at, kind: "generated", source: host, access: "read-only" });
  }

  async input(mount: StepMount, missing: readonly string[]): Promise<void> {
    const directory = lstatSync(mount.host).isDirectory();
    const writable = mount.access === "copy-on-write";
    if (!writable && missing.length === 0) {
      this.#options.push("--ro-bind", this.#lend(mount.host), mount.at);
      this.#rows.push({ at: mount.at, kind: "input", source: mount.host, access: "read-only" });
      return;
    }
    const overlay = directory && this.#can.overlay && this.#canLend(mount.host);
    const path = overlay ? this.#overlay(mount.host, missing) : await this.#copy(mount.host, missing);
    if (!overlay && directory) {
      this.#degraded.push({
        code: "INPUT_COPIED",
        detail: `${mount.at} is a whole copy, since this host gives no overlay for it`,
      });
    }
    this.#options.push(writable ? "--bind" : "--ro-bind", path, mount.at);
    const means = overlay ? "overlay" : "copy";
    this.#rows.push({ at: mount.at, kind: "input", source: mount.host, access: mount.access, means });
  }

  output(output: { host: string; at: string }): void {
    if (this.#can.root) chownSync(output.host, this.#user.user, this.#user.group);
    this.#options.push("--bind", this.#reach(output.host, true), output.at);
    this.#rows.push({ at: output.at, kind: "output", source: output.host, access: "read-write" });
  }

  finish(): MountPlan {
    const first: LaunchOperation[] = [];
    if (this.#can.root) first.push(["private"], ["mount", "tmpfs", stage, "tmpfs", 6, "mode=0755,size=1m"]);
    else if (this.#private) first.push(["own", this.#user.user, this.#user.group]);
    return {
      operations: [...first, ...this.#operations],
      options: this.#options,
      rows: this.#rows,
      writable: this.#writable,
      degraded: this.#degraded,
    };
  }

  /** Path by which the sandbox program reaches a host path. */
  #reach(host: string, staged: boolean): string {
    if (!this.#can.root || !staged) return host;
    const at = this.#place(host);
    this.#operations.push(["mount", host, at, "none", mountFlag.bindAll, ""]);
    return at;
  }

  /** The same for an input, whose files become the step's. */
  #lend(host: string): string {
    if (!this.#can.root || !this.#canLend(host)) return this.#reach(host, true);
    const at = this.#place(host);
    this.#operations.push(this.#idmap(host, at));
    return at;
  }

  #idmap(host: string, at: string): LaunchOperation {
    const owner = statSync(host);
    return ["idmap", host, at, owner.uid, this.#user.user, owner.gid, this.#user.group];
  }

  /** As root, an input can be lent when its file system can map owners; it was tried on one. */
  #canLend(host: string): boolean {
    return !this.#can.root || (this.#can.idmap && lstatSync(host).dev === this.#can.device);
  }

  /** A place below `stage`, for a directory or a file like `host`. */
  #place(host: string): string {
    const at = `${stage}/${this.#count++}`;
    this.#operations.push([lstatSync(host).isDirectory() ? "directory" : "file", at]);
    return at;
  }

  /** Things below a home of root's cannot be reached by the step's user, whatever their own modes say. */
  #mustStage(row: MountRow): boolean {
    return (
      row.kind === "toolchain" ||
      row.kind === "generated" ||
      !/^\/(usr|etc|lib|bin|sbin|nix|gnu)/.test(row.source ?? "")
    );
  }

  #overlay(host: string, missing: readonly string[]): string {
    const number = this.#count++;
    const own = (name: string): string => {
      const path = join(this.#scratch, `${name}${number}`);
      mkdirSync(path, { mode: 0o755 });
      return path;
    };
    const upper = own("upper");
    const modes = lstatSync(host).mode & 0o777;
    chmodSync(upper, modes | 0o700);
    for (const place of missing) this.#makePlace(upper, place, host);
    if (this.#can.root) chownSync(upper, this.#user.user, this.#user.group);
    own("work");
    this.#writable.push(upper);
    this.#private = true;
    const area = this.#can.root ? `${stage}/${this.#count++}` : this.#scratch;
    if (this.#can.root) {
      // The step's user walks through it to the merged view; on the host it stays below a directory of ours alone.
      chmodSync(this.#scratch, 0o711);
      this.#operations.push(["directory", area], ["mount", this.#scratch, area, "none", mountFlag.bind, ""]);
    }
    own("lower");
    own("merged");
    const lower = `${area}/lower${number}`;
    // Relative paths, since an option of mount(2) can hold neither a comma nor a colon of ours.
    const options = `lowerdir=lower${number},upperdir=upper${number},workdir=work${number}${this.#can.root ? "" : ",userxattr"}`;
    this.#operations.push(
      this.#can.root ? this.#idmap(host, lower) : ["mount", host, lower, "none", mountFlag.bindAll, ""],
      ["enter", area],
      ["mount", "overlay", `merged${number}`, "overlay", mountFlag.noSetuid | mountFlag.noDevices, options],
      ["enter", "/"],
    );
    return `${area}/merged${number}`;
  }

  async #copy(host: string, missing: readonly string[]): Promise<string> {
    const copy = join(this.#scratch, `copy${this.#count++}`);
    await run("cp", ["-a", "--reflink=auto", "--no-preserve=ownership", host, copy]);
    for (const place of missing) this.#makePlace(copy, place, host);
    if (this.#can.root) await run("chown", ["-R", "-h", `${this.#user.user}:${this.#user.group}`, copy]);
    this.#writable.push(copy);
    return this.#reach(copy, true);
  }

  /** Makes an empty mount point in a private view, with the modes that the way to it has in the input. */
  #makePlace(root: string, place: string, host: string): void {
    const file = place.endsWith("\0");
    const steps = place.replace("\0", "").split("/");
    let at = root;
    let original = host;
    steps.forEach((step, index) => {
      at = join(at, step);
      original = join(original, step);
      if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) return;
      if (file && index === steps.length - 1) writeFileSync(at, "");
      else mkdirSync(at);
      const mode = lstatSync(original, { throwIfNoEntry: false })?.mode;
      chmodSync(at, mode === undefined ? (file && index === steps.length - 1 ? 0o644 : 0o755) : mode & 0o777);
      if (this.#can.root) chownSync(at, this.#user.user, this.#user.group);
    });
  }
}

function depth(path: string): number {
  return path.split("/").length;
}

async function run(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, [...words], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint = `${complaint}${chunk}`.slice(0, 500);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  if (code !== 0)
    throw workerErrors.make("SANDBOX_FAILED", `expected ${program} to succeed, found exit ${code}: ${complaint}`);
}
