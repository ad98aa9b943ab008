import { defineErrors } from "@touchmark/core";

/** Error codes of reading container files. The lint turns each into a finding, so that one broken file hides no other. */
export const containerFileErrors = defineErrors({
  CONTAINER_FILE_UNKNOWN: {
    nature: "invalid",
    meaning: "A file is none that the lint of container files reads, by name and content.",
    hint: "Name a Dockerfile, a Compose file, a Kubernetes manifest, a file of a Helm chart, a Makefile or a shell script.",
  },
  CONTAINER_FILE_TOO_LARGE: { nature: "invalid", meaning: "A container file is larger than 4 MiB." },
  CONTAINER_FILE_TOO_COMPLEX: {
    nature: "invalid",
    meaning:
      "A container file has more instructions, commands or documents, nests deeper, or expands to more values than the lint reads.",
  },
  CONTAINER_FILE_MALFORMED: {
    nature: "invalid",
    meaning: "A container file breaks the syntax of its kind, so that what it says is unknown.",
  },
  CONTAINER_FILE_CHARACTER_FORBIDDEN: {
    nature: "invalid",
    meaning: "A container file holds a control character, or one that reverses the direction of text on a screen.",
  },
});

/** Codes of `containerFileErrors`. */
export type ContainerFileCode = keyof typeof containerFileErrors.rows;
