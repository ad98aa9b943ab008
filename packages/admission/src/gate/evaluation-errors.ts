import { defineErrors } from "@touchmark/core";

/** Error codes of decisions that run in a thread. */
export const evaluationErrors = defineErrors({
  EVIDENCE_CACHE_EVALUATION_SLOW: {
    nature: "unavailable",
    meaning: "A decision took longer than one decision may, and its thread was ended.",
    hint: "touchmark policy lint shows costly rules",
  },
  EVIDENCE_CACHE_EVALUATION_MEMORY: {
    nature: "unavailable",
    meaning: "A decision needed more memory than one decision may have, and its thread was ended.",
  },
  EVIDENCE_CACHE_EVALUATION_LOST: {
    nature: "unavailable",
    meaning: "The thread of a decision ended without an answer.",
  },
  EVIDENCE_CACHE_EVALUATION_BUSY: { nature: "unavailable", meaning: "More decisions wait than are held at once." },
});
