import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { AnnouncedDigest, DigestAlgorithm } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer } from "../door.ts";
import type { ExpectedDigest } from "../material.ts";
import { sessionErrors } from "./errors.ts";

const strong: ReadonlySet<DigestAlgorithm> = new Set(["sha256", "sha384", "sha512", "h1"]);

/** True when a digest of this algorithm can name a file: what MD5 and SHA-1 name, somebody may have forged. */
export function isStrong(digest: AnnouncedDigest): boolean {
  return strong.has(digest.algorithm);
}

/** The hashes to take while a body streams, beside SHA-256. */
export function algorithmsOf(expected: readonly ExpectedDigest[]): DigestAlgorithm[] {
  return [...new Set(expected.map((each) => each.algorithm))].filter((each) => each !== "sha256" && each !== "h1");
}

/**
 * Refuses a body that has not every digest that was announced for it.
 * @param own digests that are no plain hash, computed by the ecosystem
 * @throws SESSION_DIGEST_MISMATCH
 */
export function assertDigests(
  what: string,
  expected: readonly ExpectedDigest[],
  hashes: ArrivedAnswer["hashes"],
  own: readonly AnnouncedDigest[],
): void {
  for (const each of expected) {
    const found =
      each.algorithm === "h1" ? own.find((digest) => digest.algorithm === "h1")?.value : hashes[each.algorithm];
    if (found !== each.value) {
      throw sessionErrors.make(
        "SESSION_DIGEST_MISMATCH",
        `${what}: expected ${each.algorithm} ${each.value} (${each.source}, ${each.from}), found ${found ?? "none"}`,
      );
    }
  }
}

/** Refuses announcements that contradict each other before anything is asked. @throws SESSION_DIGEST_CONFLICT */
export function assertAgreement(what: string, expected: readonly ExpectedDigest[]): void {
  const known = new Map<DigestAlgorithm, ExpectedDigest>();
  for (const each of expected) {
    const other = known.get(each.algorithm);
    if (other !== undefined && other.value !== each.value) {
      throw sessionErrors.make(
        "SESSION_DIGEST_CONFLICT",
        `${what}: ${other.from} announces ${each.algorithm} ${other.value}, ${each.from} announces ${each.value}`,
      );
    }
    known.set(each.algorithm, each);
  }
}

/** Hashes of a file, taken in one reading. */
export async function hashFile(
  path: string,
  algorithms: readonly DigestAlgorithm[],
): Promise<Partial<Record<DigestAlgorithm, string>>> {
  if (algorithms.length === 0) return {};
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  for await (const chunk of createReadStream(path)) for (const [, hash] of hashes) hash.update(chunk as Buffer);
  return Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]));
}
