import type { Digest } from "@touchmark/core";

/** Artifacts of a step by name: paths of files, and names of trees. */
export interface Artifacts {
  /** Name to digest: `sha256:HEX`, or several digests sorted and joined with commas. Equal text is an equal artifact. */
  readonly digests: ReadonlyMap<string, string>;
  /** Trees whose files are known one by one: names of the files that lie in them. */
  readonly members: ReadonlyMap<string, readonly string[]>;
}

/** No artifacts. */
export const noArtifacts: Artifacts = { digests: new Map(), members: new Map() };

/** Artifacts that are files alone. */
export function filesOnly(digests: ReadonlyMap<string, string>): Artifacts {
  return { digests, members: new Map() };
}

/** True when both name the same artifacts with the same digests. */
export function sameArtifacts(one: Artifacts, other: Artifacts): boolean {
  if (one.digests.size !== other.digests.size) return false;
  for (const [name, digest] of one.digests) if (other.digests.get(name) !== digest) return false;
  return true;
}

/** True when a digest of a set, as `Artifacts` spells sets, is the given one. */
export function hasDigest(set: string, digest: Digest): boolean {
  return set === digest || set.split(",").includes(digest);
}

/** Spells a digest set. */
export function digestText(set: { readonly [algorithm: string]: string }): string {
  return Object.keys(set)
    .toSorted()
    .map((algorithm) => `${algorithm}:${set[algorithm]}`)
    .join(",");
}
