import { defineErrors } from "@touchmark/core";

/** Error codes of reports that steps write. */
export const stepReportErrors = defineErrors({
  REPORT_FILE_MALFORMED: {
    nature: "invalid",
    meaning: "A report of a step is not of its kind, or its numbers cannot be.",
  },
  REPORT_FILE_TOO_LARGE: { nature: "invalid", meaning: "A report of a step is larger than reports are read." },
});
