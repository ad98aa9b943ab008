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
  MATERIAL_ARCHIVE_MALFORMED: {
    nature: "refused",
    meaning: "An archive can be read in two ways, or names files that its package may not hold.",
    hint: "Do not use it: tools would disagree about what it holds. Tell the registry.",
  },
  MATERIAL_ARCHIVE_TOO_LARGE: {
    nature: "refused",
    meaning: "An archive holds more bytes or files than its ecosystem allows.",
  },
  MATERIAL_INDEX_AMBIGUOUS: {
    nature: "refused",
    meaning: "An index announces one file with two different digests of one algorithm.",
    hint: "Nobody can say which file is meant. Compare with another mirror, and tell the repository's owner.",
  },
  MATERIAL_CARGO_GIT_INDEX: {
    nature: "refused",
    meaning: "Cargo asked for a registry index that is a git repository; only sparse indexes are carried.",
    hint: "Configure the registry as sparse+https://..., with its sparse index as upstream.",
  },
  MATERIAL_GIT_MALFORMED: {
    nature: "refused",
    meaning: "A request to a git server is not framed or spelled as its protocol says.",
  },
  MATERIAL_GIT_UNSUPPORTED: {
    nature: "refused",
    meaning: "A git client used the dumb protocol, one before version 2, or asked for something that pins no commit.",
    hint: "Use a git of 2.26 or later, and fetch a commit by its id.",
  },
  MATERIAL_GIT_PUSH: { nature: "refused", meaning: "A step tried to push to a git repository." },
  MATERIAL_INDEX_COMPRESSION: {
    nature: "refused",
    meaning: "An index is compressed in a way that this host cannot read.",
    hint: "Install xz-utils; bzip2 is not read: tell apt to ask for gzip, as the step's own settings do.",
  },
});
