import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { StepJob } from "./job.ts";
import { publishDirectory, removeUnused } from "./kept-directories.ts";
import type { MountRow } from "./result.ts";
import { inside } from "./system-view.ts";

/** Directories that the sandbox fills, and that every root file system therefore has. */
export const sandboxPlaces = ["etc", "proc", "dev", "sys", "run", "tmp", "var/tmp", inside.home.slice(1)] as const;

/** Places that are memory of the step's own; a mount below one needs no place before. */
export const temporaryPlaces = ["/tmp", "/var/tmp", inside.home, "/dev"] as const;

/** What a step sees beside its inputs and its output. */
export interface RootView {
  /** The image that is `/`; null: the host's programs. */
  readonly image: string | null;
  /** A tree of ours that gives every mount its place; null where the sandbox program makes the places. */
  readonly skeleton: Skeleton | null;
  readonly rows: readonly MountRow[];
}

/** A tree of empty places, shared among steps and never changed. */
export interface Skeleton {
  /** Laid over an image, or shown as `/`. */
  readonly root: string;
  /** Shown as `/run`. */
  readonly run: string;
  /** Everything in `root` but directories that hold something; relative. */
  readonly names: readonly string[];
}

/** An empty place for a mount of the job's. */
export interface RootPlace {
  /** Relative to the root. */
  readonly name: string;
  readonly file: boolean;
}

/** The places that mounts need in a root: not those in another mount, nor in memory of the step's own. */
export function rootPlaces(mounts: readonly { readonly at: string; readonly host: string }[]): RootPlace[] {
  const within = (at: string, outer: string): boolean => at.startsWith(`${outer}/`);
  return mounts
    .filter(({ at }) => !mounts.some((other) => within(at, other.at)))
    .filter(({ at }) => !temporaryPlaces.some((place) => within(at, place)))
    .map(({ at, host }) => ({ name: at.slice(1), file: lstatSync(host).isFile() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All that a job itself mounts. */
export function jobMounts(job: StepJob): { readonly at: string; readonly host: string }[] {
  return [...job.mounts, job.output, ...(job.provided ?? [])];
}

/** Skeletons by their content, for all steps of a worker (SPEC W15). */
export class RootSkeletons {
  readonly #directory: string;

  /** @param directory place for the skeletons; survives the steps */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The tree with our files of `/etc` and the places of a job's mounts.
   *
   * @param etc directory with the files of `/etc`, named by its content; null: none
   * @param links symbolic links at the top
   */
  make(etc: string | null, places: readonly RootPlace[], links: Readonly<Record<string, string>>): Skeleton {
    const path = this.#make(etc, places, links);
    return { root: join(path, "root"), run: join(path, "run"), names: leaves(join(path, "root")) };
  }

  #make(etc: string | null, places: readonly RootPlace[], links: Readonly<Record<string, string>>): string {
    const name = createHash("sha256")
      .update(JSON.stringify([etc, places, links]))
      .digest("hex")
      .slice(0, 16);
    const path = join(this.#directory, name);
    if (existsSync(path)) {
      utimesSync(path, new Date(), new Date());
      return path;
    }
    removeUnused(this.#directory);
    const making = `${path}.${process.pid}`;
    rmSync(making, { recursive: true, force: true });
    for (const place of sandboxPlaces) directory(join(making, "root", place));
    // Some runtimes give a mount the modes of its place.
    for (const place of ["tmp", "var/tmp"]) chmodSync(join(making, "root", place), 0o1777);
    directory(join(making, "run"));
    if (etc !== null) cpSync(etc, join(making, "root", "etc"), { recursive: true, verbatimSymlinks: true });
    for (const [link, target] of Object.entries(links)) symlinkSync(target, join(making, "root", link));
    for (const { name: at, file } of places) {
      const place = at.startsWith("run/") ? join(making, at) : join(making, "root", at);
      directory(file ? dirname(place) : place);
      if (file && !existsSync(place)) writeFileSync(place, "", { mode: 0o644 });
    }
    return publishDirectory(making, path);
  }
}

/** What a step sees of an image, and what is ours in it. */
export function imageView(image: string, skeleton: Skeleton): RootView {
  const rows: MountRow[] = [
    ...skeleton.names
      .filter((name) => name.startsWith("etc/"))
      .map((name) => ours(`/${name}`, "generated", join(skeleton.root, name))),
    ...temporaryPlaces.slice(0, 3).map((at) => ours(at, "temporary", null)),
    ...["/run", "/proc", "/dev"].map((at) => ours(at, "kernel", null)),
  ];
  return { image, skeleton, rows };
}

function ours(at: string, kind: MountRow["kind"], source: string | null): MountRow {
  return { at, kind, source, access: kind === "temporary" ? "read-write" : "read-only" };
}

/** Modes are ours, whatever the mask of the factory's caller. */
function directory(path: string): void {
  if (existsSync(path)) return;
  directory(dirname(path));
  mkdirSync(path, { mode: 0o755 });
}

function leaves(root: string, below = ""): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    const inner = entry.isDirectory() ? leaves(root, name) : [];
    return inner.length > 0 ? inner : [name];
  });
}
