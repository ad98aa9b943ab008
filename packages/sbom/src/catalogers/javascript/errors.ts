import { defineErrors } from "@touchmark/core";

/** Error codes of reading npm's, pnpm's and yarn's directories of installed packages. */
export const npmErrors = defineErrors({
  SBOM_NPM_MANIFEST: {
    nature: "invalid",
    meaning: "A package.json is larger than 4 MiB, no JSON object, or has no name or version of a package.",
  },
  SBOM_NPM_UNLOCKED: {
    nature: "invalid",
    meaning: "A project's package.json asks for packages, and no lockfile nor installed package says in which version.",
    hint: "Commit the lockfile, or scan the tree after its packages are installed.",
  },
  SBOM_NPM_TOO_MANY: {
    nature: "invalid",
    meaning:
      "Resolving what installed packages ask for takes more than 5,000,000 steps; edges beyond that are missing.",
  },
});
