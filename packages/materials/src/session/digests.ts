import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { AnnouncedDigest, DigestAlgorithm } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer } from "../door.ts";
import type { ExpectedDigest } from "../material.ts";
import { sessionErrors } from "./errors.ts";
import type { DigestSet } from "./lock-index.ts";
import type { Asked } from "./settings.ts";

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

/**
 * Refuses a body that has none of the digests of a set; answers those that it has.
 * @throws SESSION_DIGEST_MISMATCH
 */
export function assertAlternatives(
  what: string,
  sets: readonly DigestSet[],
  hashes: ArrivedAnswer["hashes"],
): readonly ExpectedDigest[] {
  return sets.flatMap((set) => {
    const held = set.filter((each) => hashes[each.algorithm] === each.value);
    if (held.length > 0) return held;
    throw sessionErrors.make(
      "SESSION_DIGEST_MISMATCH",
      `${what}: expected one of the ${set.length} digests that ${set[0]?.from} gives, found ${spell(hashes)}`,
    );
  });
}

function spell(hashes: ArrivedAnswer["hashes"]): string {
  return Object.entries(hashes)
    .map(([algorithm, value]) => `${algorithm} ${value}`)
    .join(", ");
}

/** True when a strong digest names the very file, or one of a few that are all named so. */
export function isPinned({ expected, alternatives = [] }: Pick<Asked, "expected" | "alternatives">): boolean {
  return expected.some(isStrong) || alternatives.some((set) => set.every(isStrong));
}

/** Refuses announcements that contradict each other before anything is asked. @throws SESSION_DIGEST_CONFLICT */
export function assertAgreement(
  what: string,
  expected: readonly ExpectedDigest[],
  sets: readonly DigestSet[] = [],
): void {
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
  for (const set of sets) {
    const compared = set.flatMap((each) => known.get(each.algorithm) ?? []);
    const [other] = compared;
    // A set of several algorithms may hold the file's digest in another one.
    if (other === undefined || compared.length < set.length) continue;
    if (set.some((each) => known.get(each.algorithm)?.value === each.value)) continue;
    throw sessionErrors.make(
      "SESSION_DIGEST_CONFLICT",
      `${what}: ${other.from} announces ${other.algorithm} ${other.value}, which is none of the ${set.length} digests of ${set[0]?.from}`,
    );
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
