import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Digest } from "@touchmark/core";

/** A file of the host, by its digest. */
export interface HostFile {
  readonly path: string;
  readonly digest: Digest;
}

/** Digests of the host's files, hashed at most once a process. */
export interface HostFiles {
  /** True when every file still has the digest given. */
  unchanged(files: readonly HostFile[]): boolean;
  /** Digest of a file now; undefined when it cannot be read. */
  digest(path: string): Digest | undefined;
}

const CHUNK_BYTES = 1 << 20;

/** Hashes files of the host on demand. */
export function hostFiles(): HostFiles {
  const known = new Map<string, Digest | undefined>();
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const digest = (path: string): Digest | undefined => {
    if (!known.has(path)) known.set(path, hashFile(path, buffer));
    return known.get(path);
  };
  return { digest, unchanged: (files) => files.every((file) => digest(file.path) === file.digest) };
}

function hashFile(path: string, buffer: Buffer): Digest | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(descriptor).isFile()) return undefined;
    const hash = createHash("sha256");
    for (;;) {
      const count = readSync(descriptor, buffer, 0, buffer.length, null);
      if (count === 0) return `sha256:${hash.digest("hex")}`;
      hash.update(buffer.subarray(0, count));
    }
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}
