import { defineErrors } from "@touchmark/core";

/** Error codes of reading Java archives and project files; each becomes a loss of the scan. */
export const javaErrors = defineErrors({
  SBOM_JAVA_ARCHIVE_TOO_DEEP: {
    nature: "invalid",
    meaning: "Java archives are nested deeper than they are read; what is further inside is not known.",
  },
  SBOM_JAVA_ARCHIVE_TOO_LARGE: {
    nature: "invalid",
    meaning: "A Java archive holds more archives, or unpacks to more bytes, than are read of one file.",
  },
  SBOM_JAVA_MANIFEST_MALFORMED: {
    nature: "invalid",
    meaning: "A META-INF/MANIFEST.MF or pom.properties is too large or not text of its form.",
  },
  SBOM_JAVA_POM_MALFORMED: { nature: "invalid", meaning: "A pom is no Maven project, or names no artifact." },
  SBOM_JAVA_PARENT_MISSING: {
    nature: "invalid",
    meaning: "A pom inherits from, or imports, one that is not in the tree: what that one says is not known.",
    hint: "Scan the resolved dependencies (a lockfile, the packed application or its SBOM), or a tree with the parents.",
  },
  SBOM_JAVA_POM_CYCLE: {
    nature: "invalid",
    meaning: "Poms inherit from or import each other, or properties name each other.",
  },
  SBOM_JAVA_VERSION_UNKNOWN: {
    nature: "invalid",
    meaning: "A pom asks for an artifact without one exact version, and nothing in the tree says which one it gets.",
  },
  SBOM_JAVA_TRANSITIVE_UNKNOWN: {
    nature: "invalid",
    meaning: "A pom names direct dependencies; what those depend on is not in the tree.",
    hint: "Scan the packed application, or lock with Gradle, to know them all.",
  },
  SBOM_JAVA_TOO_MANY: {
    nature: "invalid",
    meaning: "The poms of a tree ask for more artifacts than are followed; the rest is not known.",
  },
  SBOM_JAVA_NAME: { nature: "invalid", meaning: "A group, artifact or version is spelled as Maven allows none." },
});
