import { defineErrors } from "@touchmark/core";

/** Error codes of gates: questions that policy answered with no, and decisions that cannot be relied on. */
export const gateErrors = defineErrors({
  GATE_REFUSED: {
    nature: "refused",
    meaning: "The policies in force do not allow what a gate asked about.",
    hint: "touchmark policy explain shows the rules and what they saw",
  },
  GATE_DECISION_MISSING: {
    nature: "refused",
    meaning: "A gate found no passed decision of the gate before it.",
  },
  GATE_DECISION_EXPIRED: {
    nature: "refused",
    meaning: "The decision of an earlier gate may be relied on no longer.",
    hint: "run again, so that it is taken anew",
  },
  GATE_DECISION_MISMATCH: {
    nature: "refused",
    meaning: "The decision of an earlier gate is about other inputs, another run, or by other policies.",
  },
});
