import type { ComponentHash } from "@touchmark/formats/sbom";

const lengths = new Map<string, number>([
  ["sha1", 20],
  ["sha256", 32],
  ["sha384", 48],
  ["sha512", 64],
]);

/** Hashes of a subresource integrity (W3C SRI); words that are none are left out. */
export function integrityHashes(integrity: string): ComponentHash[] {
  return integrity
    .slice(0, 4096)
    .split(/\s+/)
    .flatMap((word) => {
      const [, algorithm = "", value = ""] = /^([a-z0-9]+)-([A-Za-z0-9+/=]+)(?:\?.*)?$/.exec(word) ?? [];
      const bytes = Buffer.from(value, "base64");
      if (bytes.length !== lengths.get(algorithm)) return [];
      return [{ algorithm: algorithm as ComponentHash["algorithm"], value: bytes.toString("hex") }];
    });
}
