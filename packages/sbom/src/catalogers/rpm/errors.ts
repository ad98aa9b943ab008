import { defineErrors } from "@touchmark/core";

/** Error codes of rpm's databases. */
export const rpmErrors = defineErrors({
  SBOM_RPM_DATABASE_MALFORMED: {
    nature: "invalid",
    meaning: "An rpm database is not of the form that its name says, is cut off, or runs in a circle.",
  },
  SBOM_RPM_HEADER_MALFORMED: {
    nature: "invalid",
    meaning: "The header of a package in an rpm database contradicts itself, or lacks the name or the version.",
  },
});
