import { defineErrors } from "@touchmark/core";

/** Error codes that the parts of the package share. */
export const advisoryErrors = defineErrors({
  ADVISORY_MALFORMED: {
    nature: "invalid",
    meaning: "A record is no advisory of its format, or its ranges cannot be; it is left out, and counted.",
  },
});
