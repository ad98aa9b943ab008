import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { sourceErrors } from "./errors.ts";

/** What stands in a commit in place of a large file. */
export interface LfsPointer {
  readonly digest: Digest;
  readonly size: number;
}

/** Pointers are at most this long (Git LFS specification). */
export const lfsPointerLimit = 1024;

/** Reads a Git LFS pointer; undefined when bytes are not one. */
export function parseLfsPointer(bytes: Buffer): LfsPointer | undefined {
  if (!bytes.toString("latin1", 0, 8).startsWith("version ")) return undefined;
  const match =
    /^version https:\/\/(?:git-lfs\.github\.com\/spec\/v1|hawser\.github\.com\/spec\/v1)\n(?:ext-[0-9]-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,15})\n?$/.exec(
      bytes.toString("latin1"),
    );
  return match ? { digest: `sha256:${match[1]}`, size: Number(match[2]) } : undefined;
}

/**
 * Opens the content of a pointer in a local repository's LFS store, after hashing it.
 *
 * @throws SOURCE_LFS_UNAVAILABLE, SOURCE_LFS_CORRUPT, SOURCE_TOO_LARGE
 */
export function readLfsContent(
  common: string | undefined,
  pointer: LfsPointer,
  path: string,
  limitBytes: number,
): Buffer {
  const shown = JSON.stringify(path);
  if (pointer.size > limitBytes) {
    throw sourceErrors.make(
      "SOURCE_TOO_LARGE",
      `${shown}: expected at most ${limitBytes} bytes, found ${pointer.size}`,
    );
  }
  const hex = pointer.digest.slice(7);
  let file: number;
  try {
    if (common === undefined) throw new Error("the source is remote");
    file = openSync(
      join(common, "lfs/objects", hex.slice(0, 2), hex.slice(2, 4), hex),
      constants.O_RDONLY | constants.O_NONBLOCK,
    );
  } catch (cause) {
    throw sourceErrors.make(
      "SOURCE_LFS_UNAVAILABLE",
      `expected the LFS content ${hex} of ${shown} in a local repository, found none`,
      { cause },
    );
  }
  try {
    const state = fstatSync(file);
    const fits = state.isFile() && state.size === pointer.size;
    const bytes = Buffer.alloc(fits ? pointer.size : 0);
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, bytes.length - at, at);
      if (count === 0) break;
      at += count;
    }
    if (!fits || createHash("sha256").update(bytes).digest("hex") !== hex) {
      throw sourceErrors.make(
        "SOURCE_LFS_CORRUPT",
        `expected ${pointer.size} bytes of digest ${hex} for ${shown}, found others`,
      );
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}
