import { lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeDirectory, readIfPresent, syncDirectory, TEMPORARY_PREFIX } from "./durable-file.ts";
import { storeErrors } from "./errors.ts";
import { defaultHomePath, type HomePaths, homeDirectories, homePaths } from "./home-path.ts";
import { type Lock, type LockOptions, takeLock } from "./kernel-lock.ts";
import { homeMigrations, type Migrations, newestVersion, parseVersion, tagCaches, writeVersion } from "./migrations.ts";
import { reclaimScratch, ScratchSpace } from "./scratch.ts";
import { guarded } from "./system-failure.ts";

/** The directory that holds all state of one factory (SPEC H). */
export interface Home {
  /** Absolute path, links resolved. */
  readonly path: string;
  /** Version of the layout: always this program's, since opening migrates. */
  readonly version: number;
  readonly paths: HomePaths;
  /**
   * Takes a lock among all processes using this home; the kernel drops it when the process dies. `name` is a short
   * word; `content` is the store's own. @throws STORE_LOCK_BUSY
   */
  lock(name: string, options?: LockOptions): Promise<Lock>;
  /**
   * Makes an empty private directory under `work/`, on the file system of the tree store, so that a tree can be
   * moved in. It lives as long as this process unless released earlier.
   */
  scratch(prefix?: string): Promise<string>;
  /** Deletes a scratch directory now. */
  releaseScratch(directory: string): Promise<void>;
  /** Deletes all scratch of this process. The home may not be used afterwards. */
  close(): Promise<void>;
}

/** How to open a home. */
export interface HomeOptions {
  /** Make the home if there is none. Default false. */
  readonly create?: boolean;
  /** Table of migrations; tests give their own. */
  readonly migrations?: Migrations;
}

/**
 * Opens the home at `path` (default: `defaultHomePath()`), migrating an older one and reclaiming what killed
 * processes left in scratch.
 * @throws STORE_HOME_MISSING | STORE_HOME_FOREIGN | STORE_HOME_UNSAFE | STORE_HOME_NEWER | STORE_LOCK_BUSY
 */
export async function openHome(path: string = defaultHomePath(), options: HomeOptions = {}): Promise<Home> {
  return guarded(`opening the home ${path}`, async () => {
    const migrations = options.migrations ?? homeMigrations;
    const newest = newestVersion(migrations);
    if (options.create === true) createHome(path, newest);
    const real = realHome(path);
    checkOwnership(real);
    const version = readVersion(real);
    if (version > newest) {
      throw storeErrors.make("STORE_HOME_NEWER", `expected a home of version ${newest} or older, found ${version}`);
    }
    for (const name of homeDirectories) {
      if (!makeDirectory(join(real, name))) checkOwnership(join(real, name));
    }
    if (version < newest) await migrate(real, newest, migrations);
    await reclaimScratch(join(real, "work"), join(real, "locks"));
    return homeAt(real, newest);
  });
}

function homeAt(path: string, version: number): Home {
  const paths = homePaths(path);
  const space = new ScratchSpace(paths.work, paths.locks);
  return {
    path,
    version,
    paths,
    lock: (name, options) => takeLock(join(paths.locks, `${checkLockName(name)}.lock`), options),
    scratch: (prefix = "scratch") => guarded("making a scratch directory", () => space.make(prefix)),
    releaseScratch: (directory) => guarded("deleting a scratch directory", () => space.release(directory)),
    close: () => guarded("closing the home", () => space.close()),
  };
}

function checkLockName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,100}$/.test(name)) throw new TypeError(`not a lock name: ${JSON.stringify(name)}`);
  return name;
}

function createHome(path: string, version: number): void {
  mkdirSync(dirname(path), { recursive: true });
  makeDirectory(path);
  checkOwnership(realpathSync(path));
  if (readIfPresent(join(path, "version")) !== undefined) return;
  // A creator that was killed leaves only names of ours; anything else is someone's directory.
  const ours = new Set<string>(homeDirectories);
  const foreign = readdirSync(path).find((name) => !ours.has(name) && !name.startsWith(TEMPORARY_PREFIX));
  if (foreign !== undefined) {
    throw storeErrors.make(
      "STORE_HOME_FOREIGN",
      `expected ${path} to be empty or a factory home, found ${JSON.stringify(foreign)} in it and no version file`,
    );
  }
  for (const name of homeDirectories) makeDirectory(join(path, name));
  tagCaches(path);
  // The version comes last: its presence says that the home is whole. Two creators write the same bytes.
  writeVersion(path, version);
  syncDirectory(dirname(path));
}

function realHome(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw storeErrors.make("STORE_HOME_MISSING", `expected a factory home at ${path}, found nothing`);
  }
  return realpathSync(path);
}

function readVersion(path: string): number {
  const text = readIfPresent(join(path, "version"))?.toString();
  if (text === undefined) {
    if (readdirSync(path).length === 0) {
      throw storeErrors.make("STORE_HOME_MISSING", `expected a factory home at ${path}, found an empty directory`);
    }
    throw storeErrors.make("STORE_HOME_FOREIGN", `expected a factory home at ${path}, found no version file in it`);
  }
  const version = parseVersion(text);
  if (version === undefined) {
    throw storeErrors.make(
      "STORE_HOME_FOREIGN",
      `expected "touchmark home N" in ${path}/version, found ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return version;
}

/** Refuses a directory that someone else could alter. Windows keeps other users out of %LOCALAPPDATA% by inheritance. */
function checkOwnership(path: string): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw storeErrors.make("STORE_HOME_UNSAFE", `expected a directory at ${path}, found none`);
  if (process.platform === "win32") return;
  const user = process.geteuid?.();
  if (stat.uid !== user) {
    throw storeErrors.make("STORE_HOME_UNSAFE", `expected ${path} to belong to uid ${user}, found uid ${stat.uid}`);
  }
  if ((stat.mode & 0o022) !== 0) {
    const mode = (stat.mode & 0o7777).toString(8);
    throw storeErrors.make(
      "STORE_HOME_UNSAFE",
      `expected ${path} to be writable by its owner only, found mode ${mode}`,
    );
  }
}

async function migrate(path: string, newest: number, migrations: Migrations): Promise<void> {
  const lock = await takeLock(join(path, "locks", "migrate.lock"));
  try {
    // Read again: another process may have migrated while this one waited.
    for (let version = readVersion(path); version < newest; version++) {
      const step = migrations.get(version);
      if (step === undefined) {
        throw storeErrors.make("STORE_HOME_FOREIGN", `expected a version this program knows, found ${version}`);
      }
      step(path);
      writeVersion(path, version + 1);
    }
  } finally {
    lock.release();
  }
}
