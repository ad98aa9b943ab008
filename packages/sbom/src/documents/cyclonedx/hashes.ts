import type { ComponentHash } from "@touchmark/formats/sbom";

type Algorithm = ComponentHash["algorithm"];

const names: ReadonlyMap<Algorithm, string> = new Map<Algorithm, string>([
  ["md5", "MD5"],
  ["sha1", "SHA-1"],
  ["sha256", "SHA-256"],
  ["sha384", "SHA-384"],
  ["sha512", "SHA-512"],
  ["blake2b-256", "BLAKE2b-256"],
  ["blake3", "BLAKE3"],
]);
const algorithms = new Map([...names].map(([algorithm, name]) => [name, algorithm]));
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

/** Name of an algorithm in CycloneDX (`hash-alg`); undefined for one that it does not have. */
export function cycloneAlgorithm(algorithm: Algorithm): string | undefined {
  return names.get(algorithm);
}

/** The algorithm of such a name; undefined for one that we do not keep. */
export function algorithmOfCyclone(name: string): Algorithm | undefined {
  return algorithms.get(name);
}

/** True for lower-case hex of the algorithm's length. */
export function isHashValue({ algorithm, value }: ComponentHash): boolean {
  return value.length === digits[algorithm] && /^[0-9a-f]*$/.test(value);
}
