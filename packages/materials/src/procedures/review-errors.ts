import { defineErrors } from "@touchmark/core";

/** Error codes of reviews. */
export const reviewErrors = defineErrors({
  PROCEDURE_REVIEW_INVALID: {
    nature: "invalid",
    meaning: "A review is to be written that is incomplete, has expired already, or contradicts itself.",
    hint: "touchmark materials review --help",
  },
  PROCEDURE_REVIEW_UNVERIFIED: {
    nature: "refused",
    meaning: "A stored review does not verify, is about something else, or claims a party that its signer is not.",
    hint: "Remove the file, or name the trust root of its signer below trust.third-party-review in materials.yaml.",
  },
});
