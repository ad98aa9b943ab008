import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Digest, isFactoryError } from "@touchmark/core";
import { readZipDirectory, readZipEntry, type ZipSource } from "@touchmark/formats/zip";
import { advisoryErrors } from "../errors.ts";
import { advisorySourceErrors } from "./errors.ts";
import type { Importer, SourceEntry } from "./importer.ts";

/** Bounds of one source. */
export const sourceLimits = {
  files: 2_000_000,
  depth: 24,
  /** Of the file itself, packed or not. */
  bytes: 8 * 2 ** 30,
  /** Of all entries of archives together. */
  unpackedBytes: 16 * 2 ** 30,
} as const;

/** A source on this machine, ready to be read. */
export interface SourceFiles {
  /** The files that the importer reads, in byte order of their paths. */
  entries(): AsyncIterable<SourceEntry>;
  /**
   * SHA-256 of the file, or of a directory's list of digests and paths; reads every byte. @throws ADVISORY_SOURCE_*
   */
  digest(): Digest;
  /** Commit of a git checkout. */
  readonly revision?: string;
}

/**
 * Opens a file or a directory of this machine. Links inside of a directory are not followed.
 * @throws ADVISORY_SOURCE_MISSING | ADVISORY_SOURCE_TOO_LARGE
 */
export function openSourceFiles(path: string, importer: Pick<Importer, "endings" | "largestFile">): SourceFiles {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !(stat.isFile() || stat.isDirectory())) return missing(path);
  const isDirectory = stat.isDirectory();
  const files = isDirectory ? filesBelow(path, importer.endings) : [basename(path)];
  const place = (file: string): string => (isDirectory ? join(path, ...file.split("/")) : path);
  const revision = isDirectory ? gitRevision(path) : undefined;
  return {
    ...(revision === undefined ? {} : { revision }),
    entries: async function* () {
      const budget = { bytes: sourceLimits.unpackedBytes };
      for (const file of files) yield* entriesOf(file, place(file), importer, budget);
    },
    digest: () => {
      if (!isDirectory) return fileDigest(path);
      const list = createHash("sha256");
      for (const file of files) list.update(`${fileDigest(place(file)).slice(7)}  ${file}\n`);
      return `sha256:${list.digest("hex")}`;
    },
  };
}

async function* entriesOf(
  file: string,
  path: string,
  importer: Pick<Importer, "endings" | "largestFile">,
  budget: { bytes: number },
): AsyncGenerator<SourceEntry> {
  if (/\.zip$/i.test(file) || startsAsZip(path)) {
    yield* zipEntries(file, path, importer, budget);
    return;
  }
  const isPacked = /\.gz$/i.test(file);
  yield {
    path: isPacked ? file.slice(0, -3) : file,
    read: () => {
      const bytes = readBounded(path, importer.largestFile);
      return isPacked ? unpacked(bytes, importer.largestFile) : bytes;
    },
  };
}

/** Entries of an archive, one after the other. A damaged one is that entry's loss; a damaged directory ends it all. */
async function* zipEntries(
  file: string,
  path: string,
  importer: Pick<Importer, "endings" | "largestFile">,
  budget: { bytes: number },
): AsyncGenerator<SourceEntry> {
  const descriptor = opened(path);
  try {
    const source = fileSource(descriptor);
    const { entries, faults } = readZipDirectory(source, { entries: sourceLimits.files, directoryBytes: 512 << 20 });
    for (const fault of faults) yield refused(file, fault.message);
    const wanted = entries.filter(({ name, isDirectory }) => !isDirectory && isWanted(name, importer.endings));
    for (const entry of wanted) {
      yield {
        path: `${file}!/${entry.name}`,
        read: () => {
          if (entry.size > importer.largestFile) return tooLarge(importer.largestFile, entry.size);
          budget.bytes -= entry.size;
          if (budget.bytes < 0) return sourceTooLarge(`${sourceLimits.unpackedBytes} bytes unpacked`);
          try {
            return readZipEntry(source, entry, importer.largestFile);
          } catch (cause) {
            return notWhole(cause);
          }
        },
      };
    }
  } catch (cause) {
    // The directory of the archive: nothing more of it can be read, and what follows it in a folder can.
    if (!isFactoryError(cause) || !cause.code.startsWith("ZIP_")) throw cause;
    yield refused(file, cause.message);
  } finally {
    closeSync(descriptor);
  }
}

function refused(path: string, message: string): SourceEntry {
  return {
    path,
    read: () => {
      throw advisoryErrors.make("ADVISORY_MALFORMED", message);
    },
  };
}

function notWhole(cause: unknown): never {
  if (!isFactoryError(cause)) throw cause;
  throw advisoryErrors.make("ADVISORY_MALFORMED", cause.message, { cause });
}

function filesBelow(root: string, endings: readonly string[]): readonly string[] {
  const found: string[] = [];
  const walk = (directory: string, prefix: string, depth: number): void => {
    if (depth > sourceLimits.depth) sourceTooLarge(`${sourceLimits.depth} levels of folders`);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) walk(join(directory, entry.name), `${prefix}${entry.name}/`, depth + 1);
      else if (entry.isFile() && isWanted(entry.name, [...endings, ".zip"])) found.push(`${prefix}${entry.name}`);
      if (found.length > sourceLimits.files) sourceTooLarge(`${sourceLimits.files} files`);
    }
  };
  walk(root, "", 0);
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function isWanted(name: string, endings: readonly string[]): boolean {
  const last = name.toLowerCase().slice(name.lastIndexOf("/") + 1);
  if (last.startsWith(".")) return false;
  const plain = last.endsWith(".gz") ? last.slice(0, -3) : last;
  return endings.some((ending) => plain.endsWith(ending));
}

function startsAsZip(path: string): boolean {
  const descriptor = opened(path);
  try {
    const head = Buffer.alloc(4);
    readSync(descriptor, head, 0, 4, 0);
    return head.readUInt32LE(0) === 0x04034b50;
  } finally {
    closeSync(descriptor);
  }
}

function fileSource(descriptor: number): ZipSource {
  const { size } = fstatSync(descriptor);
  return {
    size,
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(descriptor, bytes, done, bytes.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    },
  };
}

function readBounded(path: string, limit: number): Uint8Array {
  const descriptor = opened(path);
  try {
    const { size } = fstatSync(descriptor);
    return size > limit ? tooLarge(limit, size) : readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function unpacked(bytes: Uint8Array, limit: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return tooLarge(limit, limit + 1);
    throw advisoryErrors.make("ADVISORY_MALFORMED", "expected a whole gzip file", { cause });
  }
}

/** One for all: a checkout has thousands of small files. Nothing else runs between its filling and its use. */
const hashed = Buffer.allocUnsafeSlow(1 << 20);

function fileDigest(path: string): Digest {
  const descriptor = opened(path);
  try {
    if (fstatSync(descriptor).size > sourceLimits.bytes) sourceTooLarge(`${sourceLimits.bytes} bytes`);
    const hash = createHash("sha256");
    for (let count = readSync(descriptor, hashed); count > 0; count = readSync(descriptor, hashed)) {
      hash.update(hashed.subarray(0, count));
    }
    return `sha256:${hash.digest("hex")}`;
  } finally {
    closeSync(descriptor);
  }
}

/** The commit that a checkout stands at, read without git: HEAD, and the branch that it names. */
function gitRevision(path: string): string | undefined {
  const read = (name: string): string | undefined => {
    try {
      return readFileSync(join(path, ".git", ...name.split("/")), "utf8").trim();
    } catch {
      return undefined;
    }
  };
  const head = read("HEAD");
  const branch = /^ref: (refs\/heads\/[\w./-]{1,200})$/.exec(head ?? "")?.[1];
  if (branch?.split("/").includes("..")) return undefined;
  const packed = (): string | undefined =>
    read("packed-refs")
      ?.split("\n")
      .find((line) => line.endsWith(` ${branch}`))
      ?.slice(0, -1 - (branch?.length ?? 0));
  const commit = branch === undefined ? head : (read(branch) ?? packed());
  return commit !== undefined && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit) ? commit : undefined;
}

function opened(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    return missing(path, cause);
  }
}

function missing(path: string, cause?: unknown): never {
  throw advisorySourceErrors.make(
    "ADVISORY_SOURCE_MISSING",
    `expected a file or a directory that can be read at ${path}`,
    cause === undefined ? {} : { cause },
  );
}

function tooLarge(limit: number, size: number): never {
  throw advisorySourceErrors.make("ADVISORY_RECORD_TOO_LARGE", `expected at most ${limit} bytes, found ${size}`);
}

function sourceTooLarge(bound: string): never {
  throw advisorySourceErrors.make("ADVISORY_SOURCE_TOO_LARGE", `expected at most ${bound}`);
}
