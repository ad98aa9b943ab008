import { defineErrors } from "@touchmark/core";

/** Error codes of reading installed Python distributions. */
export const pythonErrors = defineErrors({
  SBOM_PYTHON_METADATA: {
    nature: "invalid",
    meaning:
      "The metadata of an installed Python distribution has no name or version, or more than 1 MiB of headers; what its directory is called is used instead, where that says both.",
  },
  SBOM_PYTHON_RECORD: {
    nature: "invalid",
    meaning: "The RECORD of an installed Python distribution is no CSV, or names files outside of the scanned tree.",
  },
  SBOM_PYTHON_UNLOCKED: {
    nature: "invalid",
    meaning: "A project's pyproject.toml asks for packages, and no lockfile nor environment says in which version.",
    hint: "Commit the lockfile, or scan the tree after its packages are installed.",
  },
  SBOM_PYTHON_TOO_MANY: {
    nature: "invalid",
    meaning:
      "Installed Python distributions have more than 5,000,000 requirements to judge; edges beyond that are missing.",
  },
  SBOM_PYTHON_ORIGIN: {
    nature: "invalid",
    meaning: "The direct_url.json of an installed Python distribution is not what its specification says.",
  },
});
