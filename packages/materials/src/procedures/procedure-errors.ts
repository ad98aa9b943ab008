import { defineErrors } from "@touchmark/core";

/** Error codes of the procedures about materials. */
export const procedureErrors = defineErrors({
  PROCEDURE_NO_LOCKFILE: {
    nature: "invalid",
    meaning: "Two revisions are to be compared, and neither has a lockfile.",
    hint: "Name the lockfiles with --lockfile when they do not lie at the top.",
  },
  PROCEDURE_UPSTREAM_SILENT: {
    nature: "unavailable",
    meaning: "An upstream answered a question about what the mirror holds with a status that says nothing.",
  },
});
