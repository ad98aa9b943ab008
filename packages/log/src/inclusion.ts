import type { Clock } from "@touchmark/core";
import { type NoteVerifier, signCheckpoint, signedEntryTimestampMessage } from "@touchmark/formats/log";
import type { BundleProfile, LogInclusion } from "@touchmark/sign";
import { logErrors } from "./errors.ts";
import type { CheckpointSigner, LogKeys } from "./keys.ts";
import type { LogProof, TreeHead } from "./reader.ts";

/** The checkpoint signer of a profile. @throws LOG_KEYS_INVALID when the log has no P-256 key */
export function signerOf(keys: LogKeys, profile: BundleProfile): CheckpointSigner {
  if (profile === "v2") return keys;
  if (keys.compatible) return keys.compatible;
  throw logErrors.make("LOG_KEYS_INVALID", "expected a log with a P-256 key, which profile v1 needs");
}

/** Log id as trusted roots spell it: the whole hash of the note key, which for P-256 is that of its SPKI. */
export function logIdOf(verifier: NoteVerifier): Uint8Array {
  return verifier.keyHash;
}

/**
 * Signed entry timestamp of Rekor v1: the log's promise that the entry stands at its index since a time.
 * Only for entries that are durable: here it is never a promise but a fact.
 */
export function signedEntryTimestamp(
  signer: CheckpointSigner,
  entry: { readonly body: Uint8Array; readonly index: number; readonly integratedTime: number },
): Uint8Array {
  const message = signedEntryTimestampMessage({
    canonicalizedBody: entry.body,
    integratedTime: entry.integratedTime,
    logId: logIdOf(signer.signer),
    logIndex: entry.index,
  });
  return signer.signer.sign(Buffer.from(message).toString("utf8"));
}

/** Puts a proof into the form that bundles need. `checkpoint` is the published note of profile v2. */
export function inclusionOf(
  keys: LogKeys,
  proof: LogProof,
  published: TreeHead & { readonly note: string },
  profile: BundleProfile,
  body: Uint8Array,
  clock: Clock,
): LogInclusion {
  const signer = signerOf(keys, profile);
  const isPublished = profile === "v2" && proof.treeSize === published.size;
  const head = { origin: signer.origin, size: proof.treeSize, root: proof.rootHash };
  const inclusion = {
    logId: logIdOf(signer.signer),
    ...proof,
    checkpoint: isPublished ? published.note : signCheckpoint(head, [signer.signer]),
  };
  if (profile === "v2") return inclusion;
  const integratedTime = Math.floor(clock.now().getTime() / 1000);
  const entry = { body, index: proof.index, integratedTime };
  return { ...inclusion, integratedTime, signedEntryTimestamp: signedEntryTimestamp(signer, entry) };
}
