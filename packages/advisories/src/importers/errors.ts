import { defineErrors } from "@touchmark/core";

/** Error codes of sources of advisories: reading, fetching, configuration. */
export const advisorySourceErrors = defineErrors({
  ADVISORY_SOURCE_MISSING: {
    nature: "invalid",
    meaning: "A source of advisories is not there, or can not be read.",
    hint: "Its location in advisories.yaml, or on the command line, is a file or a directory of this machine, or an https address.",
  },
  ADVISORY_SOURCE_TOO_LARGE: {
    nature: "invalid",
    meaning: "A source of advisories is larger than any is read: in files, bytes, or bytes unpacked.",
  },
  ADVISORY_SOURCE_MALFORMED: {
    nature: "invalid",
    meaning: "A source of advisories is not of its kind, or nothing in it could be read.",
    hint: "kind in advisories.yaml says what a source is; touchmark advisories status names what was left out.",
  },
  ADVISORY_SOURCE_CHANGED: {
    nature: "unavailable",
    meaning: "A source of advisories changed while it was being read.",
    hint: "Try again when nothing writes to it.",
  },
  ADVISORY_NAME_INVALID: {
    nature: "invalid",
    meaning: "A record holds an id, name or version that no registry would take; it is left out, and counted.",
  },
  ADVISORY_RANGE_IMPOSSIBLE: {
    nature: "invalid",
    meaning: "The ranges of a record can hold no version at all; it is left out, and counted.",
  },
  ADVISORY_RECORD_TOO_LARGE: {
    nature: "invalid",
    meaning: "A record is larger than any is read; it is left out, and counted.",
  },
  ADVISORY_RECORD_DUPLICATE: {
    nature: "invalid",
    meaning: "Two records of a source have one id; the one that was modified last is kept.",
  },
  ADVISORY_DATE_FUTURE: {
    nature: "invalid",
    meaning: "A record was modified in the future; it is kept, and says nothing of how new its source is.",
  },
});
