import { defineErrors } from "@touchmark/core";

/** Error codes that sources and catalogers share. */
export const sbomErrors = defineErrors({
  SBOM_FILE_TOO_LARGE: {
    nature: "invalid",
    meaning: "A file is larger than its kind is ever read; it is listed as not read.",
  },
  SBOM_FILE_MALFORMED: {
    nature: "invalid",
    meaning: "A file is not what its name says; what it would have told is missing, and the loss is listed.",
  },
});
