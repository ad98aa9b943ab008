import { defineErrors } from "@touchmark/core";

/** Error codes of reading npm's, pnpm's and yarn's directories of installed packages. */
export const npmErrors = defineErrors({
  SBOM_NPM_MANIFEST: {
    nature: "invalid",
    meaning: "A package.json is larger than 4 MiB, no JSON object, or has no name or version of a package.",
  },
  SBOM_NPM_TOO_MANY: {
    nature: "invalid",
    meaning:
      "Resolving what installed packages ask for takes more than 5,000,000 steps; edges beyond that are missing.",
  },
});
