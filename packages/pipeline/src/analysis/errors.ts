import { defineErrors } from "@touchmark/core";

/** Error codes of analysing what is inside. */
export const analysisErrors = defineErrors({
  SCAN_CONFIG_INVALID: {
    nature: "invalid",
    meaning: "`scan.yaml` of the home, or a file of rules, cannot be read as one.",
    hint: "`touchmark schema scan` prints its schema.",
  },
  VEX_DOCUMENT_CHANGED: {
    nature: "refused",
    meaning: "A VEX document of the home is not the one that was decided about; its statements count for nothing.",
  },
  VEX_DECISION_MISSING: {
    nature: "refused",
    meaning: "A VEX document lies in the home and nobody signed that it counts; its statements count for nothing.",
    hint: "touchmark vex add FILE",
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
