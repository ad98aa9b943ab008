import { defineErrors } from "@touchmark/core";

/** Error codes of VEX: statements about whether a vulnerability affects a product. */
export const vexErrors = defineErrors({
  VEX_MALFORMED: {
    nature: "invalid",
    meaning:
      "A document is no VEX of OpenVEX, CSAF or CycloneDX, or a member of it is not what its specification says.",
  },
  VEX_STATEMENT_INCOMPLETE: {
    nature: "invalid",
    meaning: "A statement says `not_affected` without justification or impact, or `affected` without what to do.",
    hint: "OpenVEX 0.2.0, status labels; CSAF 2.0, profile 5; CycloneDX `analysis.justification` or `detail`.",
  },
  VEX_TOO_LARGE: { nature: "invalid", meaning: "A VEX document has more bytes, statements or products than are read." },
});
