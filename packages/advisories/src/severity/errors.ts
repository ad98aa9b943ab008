import { defineErrors } from "@touchmark/core";

/** Error codes of severities. */
export const cvssErrors = defineErrors({
  CVSS_MALFORMED: {
    nature: "invalid",
    meaning:
      "Text is no CVSS vector of version 2.0, 3.0, 3.1 or 4.0: a metric is missing, unknown, given twice or has a value that it cannot have.",
  },
});
