import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, DigestAlgorithm } from "./locked.ts";
import { shown } from "./shape.ts";

const lengths: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  h1: 32,
};
const order: readonly DigestAlgorithm[] = ["sha512", "sha384", "sha256", "h1", "sha1", "md5"];

/** A digest in hexadecimal, of either case. @throws LOCKFILE_DIGEST */
export function hexDigest(algorithm: string, value: string, where: string): AnnouncedDigest {
  const length = Object.hasOwn(lengths, algorithm) ? lengths[algorithm as DigestAlgorithm] : undefined;
  if (length === undefined) throw wrong(where, `an algorithm of ${order.join(", ")}`, algorithm);
  if (value.length !== length * 2 || !/^[0-9a-fA-F]+$/.test(value)) {
    throw wrong(where, `${length * 2} hexadecimal digits of ${algorithm}`, value);
  }
  return { algorithm: algorithm as DigestAlgorithm, value: value.toLowerCase() };
}

/** `sha256:HEX`, as Python's lockfiles have it. @throws LOCKFILE_DIGEST */
export function prefixedDigest(written: string, where: string): AnnouncedDigest {
  const colon = written.indexOf(":");
  if (colon < 1) throw wrong(where, "ALGORITHM:HEX", written);
  return hexDigest(written.slice(0, colon), written.slice(colon + 1), where);
}

/** A digest in base64. @throws LOCKFILE_DIGEST */
export function base64Digest(algorithm: DigestAlgorithm, value: string, where: string): AnnouncedDigest {
  const bytes = Buffer.from(value, "base64");
  if (bytes.length !== lengths[algorithm] || bytes.toString("base64") !== value) {
    throw wrong(where, `${lengths[algorithm]} bytes of ${algorithm} in base64`, value);
  }
  return { algorithm, value: bytes.toString("hex") };
}

/**
 * Subresource integrity as npm, pnpm and yarn write it: `sha512-BASE64`, several with spaces between, options after `?`
 * ignored. Several of one algorithm mean that any may hold (SRI 3.3.4), which an announced digest cannot say: refused.
 * @throws LOCKFILE_DIGEST
 */
export function integrityDigests(integrity: string, where: string): readonly AnnouncedDigest[] {
  const found = new Map<DigestAlgorithm, AnnouncedDigest>();
  for (const word of integrity.split(/[ \t\n\r]+/).filter((piece) => piece !== "")) {
    const dash = word.indexOf("-");
    const algorithm = word.slice(0, dash);
    if (dash < 1 || !Object.hasOwn(lengths, algorithm) || algorithm === "h1") {
      throw wrong(where, "sha512-BASE64 or another algorithm of SRI", word);
    }
    const value = word.slice(dash + 1).replace(/\?.*$/, "");
    const digest = base64Digest(algorithm as DigestAlgorithm, value, where);
    const other = found.get(digest.algorithm);
    if (other !== undefined && other.value !== digest.value) {
      throw wrong(where, `one ${algorithm} digest`, integrity);
    }
    found.set(digest.algorithm, digest);
  }
  if (found.size === 0) throw wrong(where, "a digest", integrity);
  return sortDigests([...found.values()]);
}

/** Strongest first. */
export function sortDigests(digests: readonly AnnouncedDigest[]): readonly AnnouncedDigest[] {
  return [...digests].sort((a, b) => order.indexOf(a.algorithm) - order.indexOf(b.algorithm));
}

/** True when one of them resists a chosen collision. */
export function hasStrong(digests: readonly AnnouncedDigest[]): boolean {
  return digests.some(({ algorithm }) => algorithm !== "md5" && algorithm !== "sha1");
}

function wrong(where: string, expected: string, value: string) {
  return lockfileErrors.make("LOCKFILE_DIGEST", `${where.slice(0, 200)}: expected ${expected}, found ${shown(value)}`);
}
