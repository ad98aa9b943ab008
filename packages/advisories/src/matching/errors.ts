import { defineErrors } from "@touchmark/core";

/** Error codes of matching. */
export const matchErrors = defineErrors({
  MATCH_TIME_INVALID: {
    nature: "invalid",
    meaning: "The time that an SBOM is to be matched for is no RFC 3339 date and time.",
  },
});
