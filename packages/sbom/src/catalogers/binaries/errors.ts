import { defineErrors } from "@touchmark/core";

/** Error codes of programs that tell what they were built of. */
export const binaryErrors = defineErrors({
  SBOM_BINARY_MALFORMED: {
    nature: "invalid",
    meaning: "The headers of an ELF, PE or Mach-O file contradict themselves, lie outside the file, or are too many.",
  },
  SBOM_BINARY_BUILD_INFO_MALFORMED: {
    nature: "invalid",
    meaning: "The build information that Go links into a program cannot be read.",
  },
  SBOM_BINARY_DEPENDENCY_LIST_MALFORMED: {
    nature: "invalid",
    meaning: "The dependency list that cargo-auditable links into a program cannot be read, or is too large.",
  },
});
