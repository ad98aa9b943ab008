import { defineErrors } from "@touchmark/core";

/** Error codes of reading Go modules; each becomes a loss of the scan. */
export const goErrors = defineErrors({
  SBOM_GO_BUILD_LIST: {
    nature: "invalid",
    meaning: "A go.mod is of a Go before 1.17, which lists direct dependencies only; others come from go.sum alone.",
    hint: "Run `go mod tidy -go=1.17` or later, or scan the built program.",
  },
  SBOM_GO_SUM_MISSING: {
    nature: "invalid",
    meaning: "A go.mod asks for modules, and no go.sum beside it has their hashes.",
  },
  SBOM_GO_VENDOR_MALFORMED: { nature: "invalid", meaning: "A vendor/modules.txt has lines that Go does not write." },
});
