import { defineErrors } from "@touchmark/core";

/** Error codes of testing the controls. */
export const selfTestErrors = defineErrors({
  SELFTEST_SOURCE: {
    nature: "invalid",
    meaning: "The source cannot be copied, or has no such pipeline.",
    hint: "Commit what is to be tested; selftest works on a copy of a revision.",
  },
  SELFTEST_BASELINE: {
    nature: "invalid",
    meaning: "The pipeline does not release anything as it is: there is nothing to attack.",
    hint: "touchmark run must succeed first.",
  },
  SELFTEST_UNKNOWN: {
    nature: "invalid",
    meaning: "No experiment has that name.",
    hint: "touchmark selftest --list",
  },
});
