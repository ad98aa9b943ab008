import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where a home lies, by the rules of each system, when nobody names one: TOUCHMARK_HOME, then the user's data directory. */
export function defaultHomePath(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
  userDirectory: string = homedir(),
): string {
  const named = environment["TOUCHMARK_HOME"];
  if (named !== undefined && named !== "") return resolve(named);
  if (platform === "darwin") return join(userDirectory, "Library", "Application Support", "touchmark");
  if (platform === "win32") {
    return join(environment["LOCALAPPDATA"] || join(userDirectory, "AppData", "Local"), "touchmark");
  }
  // XDG Base Directory 0.8: a relative XDG_DATA_HOME is to be ignored.
  const data = environment["XDG_DATA_HOME"];
  return join(data?.startsWith("/") ? data : join(userDirectory, ".local", "share"), "touchmark");
}

/** The parts of a home, all absolute. Every directory exists once the home is open. */
export interface HomePaths {
  /** OCI image layout with every blob: bundles, artifacts, materials. */
  readonly store: string;
  /** Step outputs and sources by tree digest. */
  readonly trees: string;
  /** One directory a run: record and logs. */
  readonly runs: string;
  /** The step cache. Losing it costs time only. */
  readonly cache: string;
  /** The transparency log. Never pruned. */
  readonly log: string;
  /** Certificate authority and keys. */
  readonly identity: string;
  /** Trust roots. */
  readonly trust: string;
  /** Mirrors of source repositories. */
  readonly repositories: string;
  /** What the factory knows of each project. */
  readonly projects: string;
  /** The mirror of everything that came in: records of responses, whose bodies lie in the store. */
  readonly materials: string;
  /** Compiled advisory databases, and which of them is in use. */
  readonly advisories: string;
  /** VEX documents that count here, each with the signed decision. */
  readonly vex: string;
  /** Policies in force, exceptions, environments, and records of decisions. */
  readonly policy: string;
  /** The registry: its database, and uploads that are still coming in. Its content lies in the store. */
  readonly registry: string;
  /** Images unpacked for steps to run in. Losing them costs time only. */
  readonly rootfs: string;
  /** Scratch; whatever no living process holds is deleted. */
  readonly work: string;
  /** Damaged content, moved aside for inspection. */
  readonly quarantine: string;
  /** Lock files, empty. */
  readonly locks: string;
  /** SQLite index; can be deleted at any time. */
  readonly index: string;
  /** Version of this layout. */
  readonly version: string;
}

/** The directories of a home. */
export const homeDirectories = [
  "store",
  "trees",
  "runs",
  "cache",
  "log",
  "identity",
  "trust",
  "repositories",
  "projects",
  "materials",
  "advisories",
  "vex",
  "policy",
  "registry",
  "rootfs",
  "work",
  "quarantine",
  "locks",
] as const;

/** Every path of the home at `path`. */
export function homePaths(path: string): HomePaths {
  return {
    store: join(path, "store"),
    trees: join(path, "trees"),
    runs: join(path, "runs"),
    cache: join(path, "cache"),
    log: join(path, "log"),
    identity: join(path, "identity"),
    trust: join(path, "trust"),
    repositories: join(path, "repositories"),
    projects: join(path, "projects"),
    materials: join(path, "materials"),
    advisories: join(path, "advisories"),
    vex: join(path, "vex"),
    policy: join(path, "policy"),
    registry: join(path, "registry"),
    rootfs: join(path, "rootfs"),
    work: join(path, "work"),
    quarantine: join(path, "quarantine"),
    locks: join(path, "locks"),
    index: join(path, "index.sqlite"),
    version: join(path, "version"),
  };
}
