import { createHash, randomInt } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import { observerErrors } from "./errors.ts";
import { loaderOf } from "./program-loader.ts";
import { SealedFile } from "./sealed-file.ts";
import { fileName } from "./trace-text.ts";

/** What is known of one file's content. */
export interface FileDigest {
  readonly digest: Digest;
  /** Interpreter or loader that executing the file starts, if any. */
  readonly loader: string | undefined;
}

interface Row extends FileDigest {
  /** Device, inode, size, modification and change time: what the digest stands for. */
  readonly stamp: string;
}

/** A file whose last change is younger than this may change again within one tick of its clock: never cached. */
const SETTLED_NS = 2_000_000_000n;
const SAMPLES = 4;
/** Past this many rows only those that were just used are kept. */
const MAX_ROWS = 50_000;
const FORMAT = "touchmark digest cache v1";

/**
 * Digests of the host's own files (compilers, libraries), kept between runs. A row counts only while device, inode, size,
 * modification and change time of its file are as recorded. Against a poisoned cache: the file is sealed (`SealedFile`), so
 * that whoever can write the cache without reading the key is refused; and each use hashes some rows again, chosen at random, so that one who has the key is found out with time. SPEC.md, O20-O22.
 */
export class DigestCache {
  readonly #file: SealedFile | undefined;
  readonly #rows = new Map<string, Row>();
  readonly #used = new Map<string, Row>();
  #changed = false;

  /** @param file where the cache lies; absent: digests are kept in memory only. @throws DIGEST_CACHE_POISONED */
  constructor(file?: string) {
    this.#file = file === undefined ? undefined : new SealedFile(file);
    this.#read(this.#file?.read() ?? "");
  }

  /** Digest of a regular file; undefined when there is none, or it changes while it is read. */
  digest(path: string): FileDigest | undefined {
    const used = this.#used.get(path);
    if (used !== undefined) return used;
    let row = this.#rows.get(path);
    if (row !== undefined && row.stamp !== stampOf(path)) row = undefined;
    if (row === undefined) {
      row = hashFile(path);
      if (row === undefined) return undefined;
      this.#rows.set(path, row);
      this.#changed = true;
    }
    this.#used.set(path, row);
    return row;
  }

  /** Hashes a few of the used rows again. @throws DIGEST_CACHE_POISONED */
  sample(): void {
    const used = [...this.#used];
    for (let i = 0; i < Math.min(SAMPLES, used.length); i++) {
      const [path, row] = used[randomInt(used.length)] as [string, Row];
      const now = hashFile(path);
      if (now !== undefined && now.stamp === row.stamp && now.digest !== row.digest)
        throw observerErrors.make(
          "DIGEST_CACHE_POISONED",
          `the cache says ${row.digest} of ${path}, and its content is ${now.digest}`,
        );
    }
  }

  /** Writes the cache, whole and at once. */
  save(): void {
    if (this.#file === undefined || !this.#changed) return;
    const now = BigInt(Date.now()) * 1_000_000n;
    const all = this.#rows.size <= MAX_ROWS ? this.#rows : this.#used;
    const rows = [...all].filter(([, row]) => now - BigInt(row.stamp.split(" ")[4] ?? now) > SETTLED_NS);
    const body = rows
      .map(([path, row]) => JSON.stringify([path, row.stamp, row.digest, row.loader ?? null]))
      .join("\n");
    this.#file.write(`${FORMAT}\n${body}`);
    this.#changed = false;
  }

  #read(text: string): void {
    const lines = text.split("\n");
    if (lines[0] !== FORMAT) return;
    for (const line of lines.slice(1)) {
      if (line === "") continue;
      const [path, stamp, digest, loader] = JSON.parse(line) as [string, string, Digest, string | null];
      this.#rows.set(path, { stamp, digest, loader: loader ?? undefined });
    }
  }
}

function stampOf(path: string): string | undefined {
  try {
    const stat = statSync(fileName(path), { bigint: true });
    return stat.isFile() ? stamp(stat) : undefined;
  } catch {
    return undefined;
  }
}

function stamp(stat: BigIntStats): string {
  return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

function hashFile(path: string): Row | undefined {
  let fd: number;
  try {
    fd = openSync(fileName(path), "r");
  } catch {
    return undefined;
  }
  try {
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) return undefined;
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(Math.min(1 << 20, Math.max(4096, Number(before.size) + 1)));
    let head: Buffer | undefined;
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      head ??= Buffer.from(buffer.subarray(0, Math.min(count, 4096)));
      hash.update(buffer.subarray(0, count));
    }
    const after = fstatSync(fd, { bigint: true });
    if (stamp(after) !== stamp(before)) return undefined;
    return {
      stamp: stamp(before),
      digest: `sha256:${hash.digest("hex")}`,
      loader: head === undefined ? undefined : loaderOf(head),
    };
  } finally {
    closeSync(fd);
  }
}
