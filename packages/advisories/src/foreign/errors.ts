import { defineErrors } from "@touchmark/core";

/** Error codes of results of other scanners. */
export const foreignErrors = defineErrors({
  FOREIGN_SCAN_MALFORMED: {
    nature: "invalid",
    meaning:
      "A file is no result of grype, trivy, osv-scanner or syft, and no SARIF of a scanner, or not as they write it.",
  },
});
