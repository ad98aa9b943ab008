import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { sourceErrors } from "./errors.ts";
import { isObjectId, type ObjectFormat } from "./object.ts";

/**
 * A repository on this host, read without ever starting git inside it: neither its configuration nor its hooks,
 * attributes, replacements and grafts can act, and it may belong to another user.
 */
export interface LocalRepository {
  /** Directory of HEAD (differs from `common` in a linked working tree). */
  readonly gitDirectory: string;
  /** Directory of references and objects. */
  readonly common: string;
  readonly objectDirectory: string;
  /** Root of the working tree; absent for a bare repository. */
  readonly workingTree?: string;
  readonly format: ObjectFormat;
  /** False when the references are in a form that is not read here. */
  readonly referencesReadable: boolean;
}

/** Opens the repository at a path: a working tree, a linked working tree or a bare repository. @throws SOURCE_NOT_A_REPOSITORY */
export function openLocalRepository(path: string): LocalRepository {
  const dotGit = join(path, ".git");
  let gitDirectory: string | undefined;
  if (isDirectory(dotGit)) gitDirectory = dotGit;
  else {
    const pointer = /^gitdir: (.+?)\r?\n?$/.exec(readSmall(dotGit) ?? "")?.[1];
    if (pointer !== undefined) gitDirectory = resolve(path, pointer);
  }
  const workingTree = gitDirectory === undefined ? undefined : path;
  gitDirectory ??= path;
  const shared = readSmall(join(gitDirectory, "commondir"))?.trim();
  const common = shared ? resolve(gitDirectory, shared) : gitDirectory;
  const objectDirectory = join(common, "objects");
  if (readSmall(join(gitDirectory, "HEAD")) === undefined || !isDirectory(objectDirectory)) {
    throw sourceErrors.make("SOURCE_NOT_A_REPOSITORY", `expected a git repository at ${path}, found none`);
  }
  const config = (readSmall(join(common, "config"), 2 ** 20) ?? "").toLowerCase();
  const extensions = [...config.matchAll(/^\s*\[extensions\]([^[]*)/gm)].map((match) => match[1] ?? "").join("\n");
  return {
    gitDirectory,
    common,
    objectDirectory,
    ...(workingTree === undefined ? {} : { workingTree }),
    format: /^\s*objectformat\s*=\s*"?sha256"?\s*$/m.test(extensions) ? "sha256" : "sha1",
    referencesReadable: !/^\s*refstorage\s*=\s*"?(?!files)\w/m.test(extensions),
  };
}

/** The nearest directory at or above a path that holds a repository, or undefined. */
export function findRepositoryRoot(path: string): string | undefined {
  for (let here = resolve(path); ; here = dirname(here)) {
    try {
      openLocalRepository(here);
      return here;
    } catch {
      if (dirname(here) === here) return undefined;
    }
  }
}

/** What a reference holds: an object id, following symbolic references; undefined when it does not exist. */
export function readReference(repository: LocalRepository, name: string): string | undefined {
  let reference = name;
  for (let hops = 0; hops < 5; hops++) {
    const directory = reference === "HEAD" ? repository.gitDirectory : repository.common;
    const text = readSmall(join(directory, reference))?.trim() ?? packedReference(repository, reference);
    if (text === undefined) return undefined;
    if (isObjectId(text, repository.format)) return text;
    const next = /^ref: (refs\/.+)$/.exec(text)?.[1];
    // A target is not a name of ours: it must not lead to a file outside refs.
    if (next === undefined || referenceFault(next) !== undefined) return undefined;
    reference = next;
  }
  return undefined;
}

function packedReference(repository: LocalRepository, name: string): string | undefined {
  const packed = readSmall(join(repository.common, "packed-refs"), 64 * 2 ** 20);
  if (packed === undefined) return undefined;
  const needle = ` ${name}\n`;
  const end = packed.endsWith("\n") ? packed : `${packed}\n`;
  const length = repository.format === "sha1" ? 40 : 64;
  for (let at = end.indexOf(needle); at !== -1; at = end.indexOf(needle, at + 1)) {
    const start = at - length;
    if (start >= 0 && (start === 0 || end[start - 1] === "\n")) return end.slice(start, at);
  }
  return undefined;
}

/** Why a name is no reference name (git-check-ref-format), or undefined when it is one. */
export function referenceFault(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > 1024) return "it is longer than 1024 characters";
  if (name.startsWith("-")) return "it begins with a dash";
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(name)) return "it holds a character that no reference has";
  if (name.includes("..") || name.includes("@{") || name === "@" || name.endsWith(".")) return "it holds `..` or `@{`";
  if (name.split("/").some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock"))) {
    return "a part of it is empty, begins with a dot or ends in .lock";
  }
  return undefined;
}

/** Text of a small regular file; undefined when there is none. Never waits on a pipe or device. */
export function readSmall(path: string, limit = 4096): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile() || size > limit) return undefined;
    const bytes = Buffer.alloc(size);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, size, 0));
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
