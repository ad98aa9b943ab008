import { isFactoryError } from "@touchmark/core";
import { readBunLock } from "./bun.ts";
import { readCargoLock } from "./cargo.ts";
import { lockfileErrors } from "./errors.ts";
import { readGoSum } from "./go.ts";
import { readGradleLock, readVerificationMetadata } from "./gradle.ts";
import type { Lockfile } from "./locked.ts";
import { readMaterialsLock } from "./materials-lock.ts";
import { readNpmLock } from "./npm.ts";
import type { LockfileOptions, LockfileText } from "./options.ts";
import { readPipfileLock } from "./pipfile.ts";
import { readPnpmLock } from "./pnpm.ts";
import { readPoetryLock } from "./poetry.ts";
import { readPylock } from "./pylock.ts";
import { readRequirements } from "./requirements.ts";
import { lockfileText } from "./text.ts";
import { asRefusal } from "./tolerance.ts";
import { readUvLock } from "./uv.ts";
import { readYarnBerry } from "./yarn-berry.ts";
import { readYarnClassic } from "./yarn-classic.ts";

type Reader = (file: LockfileText) => Lockfile;

const readers: Readonly<Record<string, Reader>> = {
  "package-lock.json": readNpmLock,
  "npm-shrinkwrap.json": readNpmLock,
  "pnpm-lock.yaml": readPnpmLock,
  "yarn.lock": readYarnLock,
  "requirements.txt": readRequirements,
  "poetry.lock": readPoetryLock,
  "uv.lock": readUvLock,
  "pylock.toml": readPylock,
  "go.sum": readGoSum,
  "go.work.sum": readGoSum,
  "Cargo.lock": readCargoLock,
  "gradle.lockfile": readGradleLock,
  "buildscript-gradle.lockfile": readGradleLock,
  "verification-metadata.xml": readVerificationMetadata,
  "touchmark-materials.lock.json": readMaterialsLock,
};

/** Lockfiles of which an inventory is made, and by which the door admits nothing. */
const inventoried: Readonly<Record<string, Reader>> = {
  "Pipfile.lock": readPipfileLock,
  "bun.lock": readBunLock,
};

/** File names of which some carry more: `requirements-dev.txt`, `pylock.docs.toml` (PEP 751). */
const patterns: readonly (readonly [RegExp, Reader])[] = [
  [/^requirements[-_.][\w.-]+\.txt$/, readRequirements],
  [/^pylock\.[^.]+\.toml$/, readPylock],
];

/** Names of files that are lockfiles. */
export const lockfileNames: readonly string[] = Object.keys(readers);

/** True for a file that `readLockfile` reads, by the last part of its path. */
export function isLockfileName(path: string): boolean {
  return readerOf(baseName(path)) !== undefined;
}

/**
 * Reads a lockfile, choosing by its name and content. Nothing in it is trusted: whatever is wrong is refused with an
 * exact code, within bounded time and memory.
 * @throws codes of `lockfileErrors`
 */
export function readLockfile(path: string, content: Uint8Array | string, options: LockfileOptions = {}): Lockfile {
  const name = baseName(path);
  const reader =
    readerOf(name) ??
    (options.tolerate !== undefined && Object.hasOwn(inventoried, name) ? inventoried[name] : undefined);
  if (reader === undefined) {
    throw lockfileErrors.make(
      "LOCKFILE_UNKNOWN",
      `expected a lockfile such as package-lock.json, found ${JSON.stringify(name.slice(0, 120))}`,
    );
  }
  try {
    return reader({ ...options, path, name, text: lockfileText(content, path) });
  } catch (cause) {
    throw isFactoryError(cause) ? asRefusal(cause) : cause;
  }
}

function readerOf(name: string): Reader | undefined {
  return Object.hasOwn(readers, name) ? readers[name] : patterns.find(([pattern]) => pattern.test(name))?.[1];
}

function baseName(path: string): string {
  return path.replace(/^.*[/\\]/s, "");
}

/** Yarn 1 and later ones share a name; only the later ones begin with a mapping `__metadata`. */
function readYarnLock(file: LockfileText): Lockfile {
  return /^__metadata:/m.test(file.text) ? readYarnBerry(file) : readYarnClassic(file);
}
