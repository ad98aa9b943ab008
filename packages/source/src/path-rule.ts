import { sourceErrors } from "./errors.ts";

/** Bounds on what a repository may make us write. */
export interface SourceLimits {
  /** Files, links and directories. */
  readonly entries: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes of all files. */
  readonly totalBytes: number;
  /** Bytes of a path. */
  readonly pathBytes: number;
  /** Directories above a file. */
  readonly depth: number;
}

/** Generous for real projects, small for a bomb. */
export const defaultSourceLimits: SourceLimits = {
  entries: 200_000,
  fileBytes: 2 * 2 ** 30,
  totalBytes: 8 * 2 ** 30,
  pathBytes: 2048,
  depth: 64,
};

// Characters that HFS+ leaves out when it compares names.
const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
const control = /[\u0000-\u001f\u007f-\u009f]/;
const ntfsDotGit = /^(?:\.git|git~[0-9]+)[ .]*(?::.*)?$/;

/** Refuses a name that is dangerous on this or another file system. @throws SOURCE_PATH_UNSAFE, SOURCE_PATH_DOTGIT, SOURCE_TOO_DEEP */
export function checkName(name: string, path: string): void {
  const shown = JSON.stringify(path.slice(-300));
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\\") || control.test(name)) {
    throw sourceErrors.make("SOURCE_PATH_UNSAFE", `expected a plain file name, found ${shown}`);
  }
  if (name.length > 63 && Buffer.byteLength(name) > 255) {
    throw sourceErrors.make("SOURCE_TOO_DEEP", `expected a name of at most 255 bytes, found ${shown}`);
  }
  if (isDotGit(name)) {
    throw sourceErrors.make("SOURCE_PATH_DOTGIT", `expected no name that is read as .git, found ${shown}`);
  }
}

/** True for `.git` in any spelling that HFS+, APFS, NTFS or FAT read as such (CVE-2014-9390, CVE-2019-1353). */
export function isDotGit(name: string): boolean {
  const first = name.charCodeAt(0);
  // Quick way out: all spellings begin with a dot, a g, or a character outside ASCII.
  if (first !== 0x2e && first !== 0x67 && first !== 0x47 && first < 0x80) return false;
  return ntfsDotGit.test(name.replace(ignoredByHfs, "").toLowerCase());
}

/** The form in which names collide on file systems that ignore case or Unicode composition. */
export function collisionKey(name: string): string {
  // The common case is plain ASCII, for which neither step changes more than case.
  if (/^[\u0020-\u007e]*$/.test(name)) return name.toLowerCase();
  return name.replace(ignoredByHfs, "").normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}
