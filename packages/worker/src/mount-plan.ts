import { chmodSync, chownSync, lstatSync } from "node:fs";
import { join } from "node:path";
import type { StepJob, StepMount } from "./job.ts";
import type { LaunchOperation } from "./launcher.ts";
import { missingPlaces } from "./mount-places.ts";
import { copyWhole, layOver, makePlace } from "./private-copy.ts";
import type { Degradation, MountRow } from "./result.ts";
import type { RootView, Skeleton } from "./root-view.ts";
import { type MountAbilities, Staging, type StepUser } from "./staging.ts";

/** Something that the sandbox program shows, in order. */
export type Shown =
  | { readonly at: string; readonly link: string }
  | { readonly at: string; readonly path: string; readonly writable: boolean; readonly file: boolean };

/** How the inputs and the output of one job are made reachable. */
export interface MountPlan {
  /** For the launcher, in order. Empty when the sandbox program can bind everything by itself. */
  readonly operations: readonly LaunchOperation[];
  /** What is shown as `/`, read-only; null when the sandbox program makes it from `shown`. */
  readonly root: string | null;
  readonly shown: readonly Shown[];
  readonly rows: readonly MountRow[];
  /** Directories beside the output that the step can fill. */
  readonly writable: readonly string[];
  readonly degraded: readonly Degradation[];
}

/**
 * Plans the mounts of a job (SPEC W7). An input that must be writable, or in which a nested mount has no place yet,
 * becomes a private view: an overlay where the host can, else a copy. Everything else is bound as it is. As root,
 * sources are bound below `stage` first, because the step's user cannot walk through our home.
 *
 * @param view the constant view and the toolchains, or the image in place of both (SPEC W15)
 * @param scratch directory of this run, for upper directories and copies
 */
export async function planMounts(
  job: StepJob,
  view: RootView,
  scratch: string,
  user: StepUser,
  abilities: MountAbilities,
): Promise<MountPlan> {
  const plan = new Planning(scratch, user, abilities, view.image === null && view.skeleton !== null);
  if (view.skeleton !== null) await plan.root(view.image, view.skeleton);
  for (const row of view.rows) plan.show(row, view);
  for (const { host, at } of job.provided ?? []) plan.provide(host, at);
  const places = [...job.mounts.map((mount) => mount.at), job.output.at];
  const ordered = [...job.mounts].sort((a, b) => depth(a.at) - depth(b.at));
  for (const mount of ordered) await plan.input(mount, missingPlaces(mount, places, job.mounts));
  plan.output(job.output);
  return plan.finish();
}

class Planning {
  readonly #shown: Shown[] = [];
  readonly #rows: MountRow[] = [];
  readonly #writable: string[] = [];
  readonly #degraded: Degradation[] = [];
  readonly #scratch: string;
  readonly #user: StepUser;
  readonly #staging: Staging;
  #root: string | null = null;

  constructor(scratch: string, user: StepUser, can: MountAbilities, always: boolean) {
    this.#scratch = scratch;
    this.#user = user;
    this.#staging = new Staging(scratch, user, can, always);
  }

  show(row: MountRow, view: RootView): void {
    this.#rows.push(row);
    // What is laid over an image is in its skeleton, and so are links.
    if (row.source === null || view.image !== null) return;
    if (row.kind !== "link") this.#bind(row.at, this.#staging.reach(row.source, this.#mustStage(row)), row.source);
    else if (view.skeleton === null) this.#shown.push({ at: row.at, link: row.source });
  }

  /** What is `/`: a tree of ours with a place for each mount, above the image if there is one, never changed. */
  async root(image: string | null, skeleton: Skeleton): Promise<void> {
    if (image === null) this.#root = this.#staging.reach(skeleton.root, true);
    else {
      const overlay = this.#staging.can.overlay && this.#staging.canLend(image);
      this.#root = overlay
        ? this.#staging.overlay(image, { top: skeleton.root })
        : await this.#copyImage(image, skeleton);
      const means = overlay ? "overlay" : "copy";
      this.#rows.push({ at: "/", kind: "image", source: image, access: "read-only", means });
    }
    this.#bind("/run", this.#staging.reach(skeleton.run, true), skeleton.run);
  }

  async #copyImage(image: string, skeleton: Skeleton): Promise<string> {
    const copy = join(this.#scratch, `image${this.#staging.next()}`);
    await copyWhole(image, copy, this.#owner(), (at) => layOver(skeleton.root, skeleton.names, at));
    this.#copied("/");
    return this.#staging.reach(copy, true);
  }

  provide(host: string, at: string): void {
    this.#bind(at, this.#staging.lend(host), host);
    this.#rows.push({ at, kind: "generated", source: host, access: "read-only" });
  }

  async input(mount: StepMount, missing: readonly string[]): Promise<void> {
    const directory = lstatSync(mount.host).isDirectory();
    const writable = mount.access === "copy-on-write";
    if (!writable && missing.length === 0) {
      this.#bind(mount.at, this.#staging.lend(mount.host), mount.host);
      this.#rows.push({ at: mount.at, kind: "input", source: mount.host, access: "read-only" });
      return;
    }
    const overlay = directory && this.#staging.can.overlay && this.#staging.canLend(mount.host);
    const path = overlay ? this.#overlay(mount.host, missing) : await this.#copy(mount.host, missing);
    if (!overlay && directory) this.#copied(mount.at);
    this.#bind(mount.at, path, mount.host, writable);
    const means = overlay ? "overlay" : "copy";
    this.#rows.push({ at: mount.at, kind: "input", source: mount.host, access: mount.access, means });
  }

  output(output: { host: string; at: string }): void {
    if (this.#staging.can.root) chownSync(output.host, this.#user.user, this.#user.group);
    this.#bind(output.at, this.#staging.reach(output.host, true), output.host, true);
    this.#rows.push({ at: output.at, kind: "output", source: output.host, access: "read-write" });
  }

  finish(): MountPlan {
    return {
      operations: this.#staging.finish(),
      root: this.#root,
      shown: this.#shown,
      rows: this.#rows,
      writable: this.#writable,
      degraded: this.#degraded,
    };
  }

  /** @param host what `path` shows, since `path` itself may be there only once the launcher has run */
  #bind(at: string, path: string, host: string, writable = false): void {
    this.#shown.push({ at, path, writable, file: lstatSync(host).isFile() });
  }

  #copied(at: string): void {
    this.#degraded.push({
      code: "INPUT_COPIED",
      detail: `${at} is a whole copy, since this host gives no overlay for it`,
    });
  }

  /** Things below a home of root's cannot be reached by the step's user, whatever their own modes say. */
  #mustStage(row: MountRow): boolean {
    return (
      row.kind === "toolchain" ||
      row.kind === "generated" ||
      !/^\/(usr|etc|lib|bin|sbin|nix|gnu)/.test(row.source ?? "")
    );
  }

  /** Whom the files of a private view must belong to; null where that is us. */
  #owner(): StepUser | null {
    return this.#staging.can.root ? this.#user : null;
  }

  #overlay(host: string, missing: readonly string[]): string {
    const number = this.#staging.next();
    const upper = this.#staging.own(`upper${number}`);
    const modes = lstatSync(host).mode & 0o777;
    chmodSync(upper, modes | 0o700);
    for (const place of missing) makePlace(upper, place, host, this.#owner());
    if (this.#staging.can.root) chownSync(upper, this.#user.user, this.#user.group);
    this.#staging.own(`work${number}`);
    this.#writable.push(upper);
    return this.#staging.overlay(host, { upper: `upper${number}`, work: `work${number}` });
  }

  async #copy(host: string, missing: readonly string[]): Promise<string> {
    const copy = join(this.#scratch, `copy${this.#staging.next()}`);
    await copyWhole(host, copy, this.#owner(), (root) => {
      for (const place of missing) makePlace(root, place, host, this.#owner());
    });
    this.#writable.push(copy);
    return this.#staging.reach(copy, true);
  }
}

function depth(path: string): number {
  return path.split("/").length;
}
