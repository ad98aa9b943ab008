import { bytes, chainMembers, digest, name, path, uri } from "./common.ts";
import { described, list, type Of, object, optional, whole } from "./shape.ts";

/** A bundle that belongs to a release. */
export const releaseBundle = object({
  name: described("What it says, for example `step/build/link`.", name),
  predicateType: uri,
  digest: described("SHA-256 of the bundle's bytes.", digest),
  logIndex: whole(),
});

/** release/v1: every output and every bundle of a run. A missing one is refused. */
export const release = object({
  ...chainMembers,
  project: name,
  pipeline: name,
  source: object({ uri: name, commit: name, treeDigest: digest }),
  artifacts: list(
    object({
      name,
      kind: name,
      step: name,
      path,
      digest: described("SHA-256 of the file; of the deterministic tar for a directory.", digest),
      treeDigest: optional(described("Digest of the tree, for a directory.", digest)),
      bytes,
      bundles: described("Digests of the bundles whose subject is this artifact.", list(digest, { max: 1000 })),
    }),
    { max: 10_000 },
  ),
  steps: list(
    object({ name, output: described("Digest of the output tree.", digest), link: digest, trace: optional(digest) }),
    { max: 10_000 },
  ),
  bundles: described("Every bundle of the run but this one.", list(releaseBundle, { max: 100_000 })),
});
export type Release = Of<typeof release>;
