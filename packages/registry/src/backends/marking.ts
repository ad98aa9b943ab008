import type { Digest } from "@touchmark/core";

/** A manifest as collection sees it. */
export interface MarkedManifest {
  readonly digest: Digest;
  readonly references: readonly Digest[];
  readonly subject?: Digest | undefined;
  /** Too young to go, or tagged, or kept for another reason. */
  readonly isRoot: boolean;
}

/**
 * What stays of one repository: roots, what they reference, and referrers of what stays, transitively both ways
 * (registry SPEC B). Answers digests of manifests and of blobs together; those that are not there may be among them.
 */
export function keptOf(manifests: Iterable<MarkedManifest>): Set<Digest> {
  const known = new Map<Digest, MarkedManifest>();
  const referrers = new Map<Digest, Digest[]>();
  const kept = new Set<Digest>();
  for (const manifest of manifests) {
    known.set(manifest.digest, manifest);
    if (manifest.isRoot) kept.add(manifest.digest);
    if (manifest.subject === undefined) continue;
    const list = referrers.get(manifest.subject);
    if (list === undefined) referrers.set(manifest.subject, [manifest.digest]);
    else list.push(manifest.digest);
  }
  // A set grows while it is walked: what is added is visited too, and a cycle ends.
  for (const digest of kept) {
    for (const next of known.get(digest)?.references ?? []) kept.add(next);
    for (const next of referrers.get(digest) ?? []) kept.add(next);
  }
  return kept;
}
