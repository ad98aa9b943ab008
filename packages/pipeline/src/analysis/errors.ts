import { defineErrors } from "@touchmark/core";

/** Error codes of analysing what is inside. */
export const analysisErrors = defineErrors({
  SCAN_CONFIG_INVALID: {
    nature: "invalid",
    meaning: "`scan.yaml` of the home, or a file of rules, cannot be read as one.",
    hint: "`touchmark schema scan` prints its schema.",
  },
  STEP_REPORT_MISSING: {
    nature: "invalid",
    meaning: "A step declares a report and did not write it.",
    hint: "Write it to the step's output, or declare `required: false`.",
  },
  STEP_REPORT_MALFORMED: {
    nature: "invalid",
    meaning: "A report of a step is not of its kind, too large, or not to be read.",
  },
});
