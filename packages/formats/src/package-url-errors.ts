import { defineErrors } from "@touchmark/core";

/** Error codes of package URLs. */
export const packageUrlErrors = defineErrors({
  PACKAGE_URL_MALFORMED: {
    nature: "invalid",
    meaning: "Text is not one package URL: scheme, type, name, percent-encoding or a qualifier is wrong.",
  },
  PACKAGE_URL_PART_INVALID: {
    nature: "invalid",
    meaning:
      "A part of a package URL is empty, too long, holds a control character, or is not what its type allows there.",
  },
});
