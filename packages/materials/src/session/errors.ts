import { defineErrors } from "@touchmark/core";

/** Refusals of a fetch step's session: what may be asked, and what may come in. */
export const sessionErrors = defineErrors({
  SESSION_ADDRESS_UNKNOWN: {
    nature: "refused",
    meaning: "A step asked an address that no trusted repository, index, lockfile or pipeline names.",
    hint: "name the repository under upstreams in materials.yaml, or the file with its digest under materials.downloads of the step",
  },
  SESSION_REQUEST_UNKNOWN: {
    nature: "refused",
    meaning: "A step asked a trusted repository for something that its ecosystem does not know.",
    hint: "only what package clients ask in order to fetch is let through; fetch other files as downloads with a digest",
  },
  SESSION_CHATTER: {
    nature: "refused",
    meaning: "A client asked for something in passing that no build rests on: audits, pings, update checks, searches.",
    hint: "nothing is missing; switch the check off in the client to be rid of this line",
  },
  SESSION_COMMIT_UNPINNED: {
    nature: "refused",
    meaning: "A step asked a repository for a commit that nothing pins.",
    hint: "lock the dependency to the commit, or name it under materials.git of the step",
  },
  SESSION_DIGEST_MISMATCH: {
    nature: "refused",
    meaning: "A file has other bytes than its lockfile, index or pipeline announced.",
    hint: "compare lockfile and repository: one of them was changed; the bytes were not let in",
  },
  SESSION_SIZE_MISMATCH: {
    nature: "refused",
    meaning: "A file has another size than its index announced.",
    hint: "the repository contradicts itself; the bytes were not let in",
  },
  SESSION_DIGEST_CONFLICT: {
    nature: "refused",
    meaning: "Two sources announce different digests of one algorithm for the same file.",
    hint: "the lockfile and the repository's index disagree: somebody republished the version, or altered the lockfile",
  },
  SESSION_REDIRECT_REFUSED: {
    nature: "refused",
    meaning: "A repository answered with a redirect to an address that may not be asked.",
    hint: "name the other host as an upstream, or lock the file with a digest",
  },
  SESSION_OFFLINE_MISSING: {
    nature: "unavailable",
    meaning: "An offline run asked for something that the mirror does not hold.",
    hint: "run once with network, or import a mirror with touchmark materials import",
  },
  SESSION_UPSTREAM_FAILED: {
    nature: "unavailable",
    meaning: "A trusted repository answered with a server error.",
    hint: "try again later, or use another upstream; offline runs use the mirror",
  },
});
