import { createHash, type Hash } from "node:crypto";
import { constants, lstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Digest } from "@touchmark/core";
import type { AnnouncedDigest, DigestAlgorithm } from "@touchmark/formats/lockfiles";
import type { FileContentStore } from "@touchmark/store";
import type { MaterialRecord } from "../material.ts";
import { mirrorErrors } from "./errors.ts";

const CHUNK_BYTES = 1024 * 1024;
const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A hash over all bytes of a file; `h1`, Go's hash over the files of an archive, is none. */
export type PlainAlgorithm = Exclude<DigestAlgorithm, "h1">;

/** Hashes of a file's bytes, in hex, and their number. The file may be no link. */
export async function hashBody(
  path: string,
  algorithms: readonly PlainAlgorithm[],
): Promise<{ readonly hashes: ReadonlyMap<PlainAlgorithm, string>; readonly size: number }> {
  const file = await open(path, constants.O_RDONLY | NO_FOLLOW);
  try {
    const running = new Map<PlainAlgorithm, Hash>(algorithms.map((name) => [name, createHash(name)]));
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) break;
      size += bytesRead;
      for (const hash of running.values()) hash.update(chunk.subarray(0, bytesRead));
    }
    return { hashes: new Map([...running].map(([name, hash]) => [name, hash.digest("hex")])), size };
  } finally {
    await file.close();
  }
}

/** The algorithms that a record's expectations need beside SHA-256. */
export function algorithmsOf(expected: readonly AnnouncedDigest[]): PlainAlgorithm[] {
  const names = new Set<DigestAlgorithm>(["sha256", ...expected.map((one) => one.algorithm)]);
  names.delete("h1");
  return [...names] as PlainAlgorithm[];
}

/** Refuses bytes that are not what a record says of them. @throws MIRROR_BODY_MISMATCH */
export function checkBody(
  record: MaterialRecord,
  found: { readonly hashes: ReadonlyMap<PlainAlgorithm, string>; readonly size: number },
): void {
  if (found.size !== record.size) {
    throw mirrorErrors.make(
      "MIRROR_BODY_MISMATCH",
      `expected ${record.size} bytes of ${record.url}, found ${found.size}`,
    );
  }
  const digest = `sha256:${found.hashes.get("sha256")}`;
  if (digest !== record.digest) {
    throw mirrorErrors.make("MIRROR_BODY_MISMATCH", `expected ${record.digest} of ${record.url}, found ${digest}`);
  }
  for (const { algorithm, value } of record.expected) {
    const hash = algorithm === "h1" ? undefined : found.hashes.get(algorithm);
    if (hash === undefined || hash === value) continue;
    throw mirrorErrors.make(
      "MIRROR_BODY_MISMATCH",
      `expected ${algorithm} ${value} of ${record.url}, as its record says, found ${hash}`,
    );
  }
}

/**
 * Verifies stored bodies, against every digest that a record says of them. What this process found sound is not hashed again while the file stays the very same: device,
 * inode, size, and the times of its last write and change to the nanosecond.
 */
export class BodyVerifier {
  readonly #content: FileContentStore;
  /** For each body the file that was hashed, and the digests that held. */
  readonly #verified = new Map<Digest, { readonly file: string; readonly held: ReadonlySet<string> }>();

  constructor(content: FileContentStore) {
    this.#content = content;
  }

  /** Path of a sound body. @throws MIRROR_BODY_MISSING | MIRROR_BODY_CORRUPT | MIRROR_BODY_MISMATCH */
  async path(record: MaterialRecord): Promise<string> {
    const { digest } = record;
    const path = this.#content.path(digest);
    const known = this.#verified.get(digest);
    const claims = record.expected.filter(({ algorithm }) => algorithm !== "h1").map(spelled);
    if (known !== undefined && known.file === identity(path) && claims.every((claim) => known.held.has(claim))) {
      return path;
    }
    const present = lstatSync(path, { throwIfNoEntry: false });
    // Says also that it is in use, which keeps a prune from deleting it under its reader.
    if (present === undefined || (present.isFile() && !(await this.#content.use(digest)))) {
      throw mirrorErrors.make("MIRROR_BODY_MISSING", `expected the body ${digest} of ${record.url}, found none`);
    }
    const before = identity(path);
    if (before === undefined) this.#refuse(record, "something that is no plain file");
    const { hashes, size } = await hashBody(path, algorithmsOf(record.expected));
    const found = `sha256:${hashes.get("sha256")}`;
    if (found !== digest || size !== record.size) this.#refuse(record, `${size} bytes with digest ${found}`);
    // The bytes are right, and the record lies about them: what is locked to its word must not get them.
    checkBody(record, { hashes, size });
    // A file that changed while it was read is hashed again at its next use.
    if (identity(path) === before) this.#verified.set(digest, { file: before, held: new Set(claims) });
    return path;
  }

  #refuse(record: MaterialRecord, found: string): never {
    this.#content.quarantine(record.digest);
    throw mirrorErrors.make(
      "MIRROR_BODY_CORRUPT",
      `expected the body of ${record.url} with digest ${record.digest} and ${record.size} bytes, found ${found}`,
    );
  }
}

function spelled({ algorithm, value }: AnnouncedDigest): string {
  return `${algorithm}:${value}`;
}

function identity(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (!stat?.isFile()) return undefined;
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
}
