import type { ComponentHash } from "@touchmark/formats/sbom";

const digits: Readonly<Record<string, number>> = {
  md5: 32,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  "blake2b-256": 64,
  blake3: 64,
};

/** True for lower-case hex of the algorithm's length. */
export function isHashValue({ algorithm, value }: ComponentHash): boolean {
  return value.length === digits[algorithm] && /^[0-9a-f]*$/.test(value);
}
