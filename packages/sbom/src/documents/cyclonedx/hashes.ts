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
/** Name of an algorithm in CycloneDX (`hash-alg`); undefined for one that it does not have. */
export function cycloneAlgorithm(algorithm: Algorithm): string | undefined {
  return names.get(algorithm);
}

/** The algorithm of such a name; undefined for one that we do not keep. */
export function algorithmOfCyclone(name: string): Algorithm | undefined {
  return algorithms.get(name);
}
