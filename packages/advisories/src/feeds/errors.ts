import { defineErrors } from "@touchmark/core";

/** Error codes of the configuration of advisories, and of fetching them. */
export const advisoryFeedErrors = defineErrors({
  ADVISORY_CONFIG_INVALID: {
    nature: "invalid",
    meaning: "advisories.yaml is no document of its shape, or a value in it does not fit.",
    hint: "touchmark schema advisories prints its shape.",
  },
  ADVISORY_SOURCE_UNKNOWN: {
    nature: "invalid",
    meaning: "A source of advisories was named that is not configured.",
    hint: "touchmark advisories status lists what there is.",
  },
  ADVISORY_FEED_UNREACHABLE: {
    nature: "unavailable",
    meaning: "A source of advisories could not be fetched; what was there of it stays in use.",
    hint: "Without a network: touchmark advisories import reads files.",
  },
  ADVISORY_STATE_MALFORMED: {
    nature: "invalid",
    meaning: "The file that says which advisory database is in use is damaged.",
    hint: "touchmark advisories import of a compiled database, or update --again, writes it anew.",
  },
});
