import { defineErrors } from "@touchmark/core";

/** Error codes of what the ecosystems read. */
export const materialErrors = defineErrors({
  MATERIAL_INDEX_MALFORMED: {
    nature: "refused",
    meaning: "An index, metadata or checksum response is not what its kind and address say.",
    hint: "Ask the repository's owner; a captive portal or an error page often answers in place of a registry.",
  },
  MATERIAL_INDEX_TOO_LARGE: {
    nature: "refused",
    meaning: "An index or metadata response is larger, or holds more, than any real one.",
  },
});
