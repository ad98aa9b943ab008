import { defineErrors } from "@touchmark/core";

/** Error codes of signed notes, checkpoints, witness policies and tiles. */
export const noteErrors = defineErrors({
  NOTE_MALFORMED: {
    nature: "refused",
    meaning: "Bytes are not a signed note (C2SP signed-note): text, blank line, signature lines.",
  },
  NOTE_KEY_MALFORMED: {
    nature: "invalid",
    meaning: "A note verifier key is not `name+id+key`, its id does not match, or its kind is not supported.",
  },
  NOTE_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "A signature line names a known key and does not verify, so the whole note is refused.",
  },
  NOTE_UNTRUSTED: { nature: "refused", meaning: "No line of a signed note is by a trusted key." },
  CHECKPOINT_MALFORMED: {
    nature: "refused",
    meaning: "The text of a note is not a checkpoint (C2SP tlog-checkpoint), for example its size is not canonical.",
  },
  CHECKPOINT_ORIGIN_MISMATCH: { nature: "refused", meaning: "A checkpoint names another log than the expected one." },
  WITNESS_QUORUM_MISSING: {
    nature: "refused",
    meaning: "A checkpoint does not carry the cosignatures that the witness policy demands.",
    hint: "Ask the witnesses of the policy for cosignatures, or look for a split view: other parties may see another log.",
  },
  WITNESS_POLICY_MALFORMED: { nature: "invalid", meaning: "Text is not a witness policy (C2SP tlog-policy)." },
  TILE_PATH_INVALID: { nature: "invalid", meaning: "A tile coordinate or path is not one of C2SP tlog-tiles." },
  TILE_MALFORMED: { nature: "refused", meaning: "A tile does not hold exactly the hashes of its width." },
  ENTRY_BUNDLE_MALFORMED: {
    nature: "refused",
    meaning: "An entry bundle is truncated, or does not hold exactly the entries of its width.",
  },
  ENTRY_TOO_LARGE: {
    nature: "invalid",
    meaning: "A log entry is longer than 65,535 bytes, which is all that an entry bundle can spell.",
    hint: "Log the digest of the content instead of the content.",
  },
});
