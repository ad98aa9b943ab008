import { bytes, chainMembers, digest, gitId, name, path, prose, time } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

/** What is known of the signature on a commit or tag. */
export const commitSignature = object({
  format: oneOf("none", "gpg", "ssh", "x509"),
  status: described(
    "`good`: verified with a key that the project trusts; `unverified`: there is one and no key to check it with.",
    oneOf("absent", "good", "bad", "unverified"),
  ),
  key: optional(described("Fingerprint of the key.", name)),
  signer: optional(described("Principal that the key is trusted for.", name)),
  detail: optional(prose),
});

/** source/v1: the tree that a run started from. Signed before the first step starts. */
export const source = object({
  ...chainMembers,
  uri: text({ max: 4096 }),
  revision: described("The revision as it was asked for.", name),
  commit: described("Git commit id.", gitId),
  tree: described("Git tree id.", gitId),
  treeDigest: described("SHA-256 over the canonical list of files (path, kind, mode, size, digest).", digest),
  entries: whole(),
  bytes: optional(bytes),
  committedAt: time,
  author: optional(name),
  committer: optional(name),
  signature: commitSignature,
  submodules: list(object({ path, uri: text({ max: 4096 }), commit: gitId }), { max: 10_000 }),
  largeFiles: described(
    "Files of Git LFS, by the digest in the tree.",
    list(object({ path, digest, bytes }), { max: 100_000 }),
  ),
  workingTree: described("True when uncommitted changes were built because an insecure option asked for it.", flag),
  changedFiles: list(path, { max: 100_000 }),
  pipelineFile: described("The pipeline as code, from this very revision.", object({ path, digest })),
});
export type Source = Of<typeof source>;
