import { defineErrors } from "@touchmark/core";

/** Error codes of the sign package. */
export const signErrors = defineErrors({
  STATEMENT_INVALID: {
    nature: "bug",
    meaning: "A statement to be signed is no in-toto Statement v1 with at least one digested subject.",
  },
  LOG_PROMISE_MISSING: {
    nature: "unavailable",
    meaning: "Profile v1 was asked of a log that gives no signed entry timestamp.",
    hint: "Use profile v2, or a log with a P-256 key.",
  },
  LOG_INCLUSION_WRONG: {
    nature: "unavailable",
    meaning: "The log answered with an inclusion proof that does not lead to its root hash, or names another entry.",
  },
});
