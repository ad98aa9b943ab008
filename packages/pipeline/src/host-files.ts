import type { Digest } from "@touchmark/core";
import { digestOfFile } from "./file-digest.ts";

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

/** Hashes files of the host on demand. */
export function hostFiles(): HostFiles {
  const known = new Map<string, Digest | undefined>();
  const digest = (path: string): Digest | undefined => {
    if (!known.has(path)) known.set(path, digestIfReadable(path));
    return known.get(path);
  };
  return { digest, unchanged: (files) => files.every((file) => digest(file.path) === file.digest) };
}

function digestIfReadable(path: string): Digest | undefined {
  try {
    return digestOfFile(path);
  } catch {
    return undefined;
  }
}
