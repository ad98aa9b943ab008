import { defineErrors } from "@touchmark/core";

/** Error codes of licence expressions and of rules about them. */
export const licenceErrors = defineErrors({
  LICENCE_EXPRESSION_MALFORMED: {
    nature: "invalid",
    meaning: "Text is no licence expression: an operator, a parenthesis or an identifier is missing or out of place.",
  },
  LICENCE_EXPRESSION_TOO_LARGE: {
    nature: "invalid",
    meaning: "A licence expression is longer than 64 KiB, names more than 2,000 licences, or is nested deeper than 64.",
  },
  LICENCE_UNKNOWN: {
    nature: "invalid",
    meaning: "An identifier in a licence expression is not on the SPDX licence list that this release carries.",
    hint: "Write `LicenseRef-NAME` for a licence that is not on the list.",
  },
  LICENCE_POLICY_INVALID: {
    nature: "invalid",
    meaning: "A licence policy has an entry that is no licence, or one entry in two of its lists.",
  },
});
