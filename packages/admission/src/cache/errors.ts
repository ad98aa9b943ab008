import { defineErrors } from "@touchmark/core";

/** Error codes of looking up evidence. */
export const evidenceCacheErrors = defineErrors({
  EVIDENCE_CACHE_BUSY: {
    nature: "unavailable",
    meaning: "More lookups of evidence wait already than are held at once.",
    hint: "ask again; a larger `parallel` helps where the registry bears it",
  },
  EVIDENCE_CACHE_SLOW: {
    nature: "unavailable",
    meaning: "Looking up a reference or its evidence took longer than one lookup may.",
    hint: "the registry is slow; what was not looked at counts as missing, so nothing is admitted meanwhile",
  },
  EVIDENCE_CACHE_FOREIGN: {
    nature: "refused",
    meaning: "A source of evidence answered for another digest or another trust root than it was asked for.",
  },
});
