import { defineErrors } from "@touchmark/core";

/** Error codes of questions put to the gate, for whichever caller. */
export const questionErrors = defineErrors({
  ADMISSION_TIMEOUT: {
    nature: "unavailable",
    meaning: "The gate did not answer within the caller's time; nothing is admitted.",
    hint: "Ask again: what was gathered meanwhile is kept. A webhook's timeoutSeconds may be up to 30.",
  },
  ADMISSION_GATE_FAILED: {
    nature: "bug",
    meaning:
      "The gate threw, or answered with verdicts that contradict themselves or the question; nothing is admitted.",
  },
  ADMISSION_TAG_UNPINNED: {
    nature: "refused",
    meaning: "A workload names an image by a tag, which may stand for something else a moment later.",
    hint: "Register the mutating webhook, which writes digests, or write the digest.",
  },
});
