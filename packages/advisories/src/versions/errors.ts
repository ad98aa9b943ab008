import { defineErrors } from "@touchmark/core";

/** Error codes of version comparison. */
export const versionErrors = defineErrors({
  VERSION_UNREADABLE: {
    nature: "invalid",
    meaning: "Text is no version by the rules of its ecosystem, or is longer than 512 characters.",
  },
  VERSION_ECOSYSTEM_UNKNOWN: {
    nature: "invalid",
    meaning: "No rules for comparing versions are known for an ecosystem.",
    hint: "Ecosystems are spelled as in the OSV schema: npm, PyPI, Go, crates.io, Maven, Debian:12.",
  },
});
