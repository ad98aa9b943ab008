import { defineErrors } from "@touchmark/core";

/** Error codes of the log package. Codes of notes, checkpoints and tiles come from formats. */
export const logErrors = defineErrors({
  LOG_NOT_FOUND: {
    nature: "invalid",
    meaning: "A directory or address holds no checkpoint, so there is no log to read.",
  },
  LOG_UNREACHABLE: { nature: "unavailable", meaning: "A log at an address did not answer, or answered too much." },
  LOG_KEYS_EXIST: { nature: "invalid", meaning: "A directory already holds log keys, and a log has one set for life." },
  LOG_KEYS_INVALID: { nature: "invalid", meaning: "The key directory of a log is missing, incomplete or unreadable." },
  LOG_ORIGIN_INVALID: { nature: "invalid", meaning: "A log's origin is empty, or holds a space, a plus or a newline." },
  LOG_LOCKED: {
    nature: "unavailable",
    meaning: "Another process held the log's lock for longer than the waiting time.",
    hint: "Try again; if it stays, look for a stopped process that has the lock file open.",
  },
  LOG_CLOSED: { nature: "invalid", meaning: "An entry was appended to a log that is closed, or after its last day." },
  LOG_WRITE_FAILED: {
    nature: "unavailable",
    meaning: "Tiles or checkpoint could not be made durable, for example because the disk is full. Nothing was logged.",
    hint: "Make room or repair the storage, then append again.",
  },
  LOG_FORKED: {
    nature: "refused",
    meaning: "The checkpoint on disk is validly signed, and is not an extension of the one that this log signed last.",
    hint: "Stop writing. Compare with the witnesses and with bundles that were issued; restore the true log.",
  },
  LOG_ROLLED_BACK: {
    nature: "refused",
    meaning: "The checkpoint on disk is older than one that this log signed, as after restoring an old backup.",
    hint: "Restore the newest copy of the log. Going on would sign a second history.",
  },
  LOG_TREE_MISMATCH: {
    nature: "refused",
    meaning: "The tiles on disk do not lead to the root of the checkpoint.",
    hint: "Run `touchmark log fsck`, which names the position, and restore that tile.",
  },
  LOG_TILE_MISSING: { nature: "refused", meaning: "A tile that the checkpoint promises is not there." },
  LOG_TILE_ALTERED: {
    nature: "refused",
    meaning: "A tile does not hold the hashes that its entries or tiles lead to.",
  },
  LOG_ENTRY_ALTERED: { nature: "refused", meaning: "An entry on disk does not have the hash that the tree holds." },
  LOG_INDEX_OUT_OF_RANGE: { nature: "invalid", meaning: "An index or size lies beyond the checkpoint." },
  LOG_WINDOW_MISSED: {
    nature: "refused",
    meaning: "An entry or checkpoint lies outside the time in which its log's key was valid.",
  },
  LOG_THRESHOLD_MISSED: {
    nature: "refused",
    meaning: "Fewer distinct log operators vouch for an entry than were demanded.",
  },
  WITNESS_REFUSED: { nature: "refused", meaning: "A witness answered that it will not cosign a checkpoint." },
  WITNESS_UNREACHABLE: { nature: "unavailable", meaning: "A witness could not be asked, or gave no valid answer." },
  WITNESS_STATE_INVALID: {
    nature: "refused",
    meaning: "The state file of our witness cannot be read. Guessing it could cosign a fork.",
  },
});

/** A code of the log package. */
export type LogErrorCode = keyof typeof logErrors.rows;
