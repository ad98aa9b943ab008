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
    hint: "run again, or renew the decision on a publication with touchmark deploy --renew",
  },
  GATE_ENVIRONMENTS_MALFORMED: {
    nature: "invalid",
    meaning: "`policy/environments.yaml` of the home is no list of distinct names.",
    hint: "environments: [staging, production]",
  },
  GATE_ENVIRONMENT_UNKNOWN: { nature: "invalid", meaning: "No environment of that name is in the home's order." },
  GATE_ENVIRONMENT_ORDER: {
    nature: "refused",
    meaning: "An artifact was not deployed to the environment before.",
  },
  GATE_LABEL_MISSING: {
    nature: "refused",
    meaning: "A step's identity was to get a signing key, and no gate had let the step in.",
  },
  GATE_DECISION_MISMATCH: {
    nature: "refused",
    meaning: "The decision of an earlier gate is about other inputs, another run, or by other policies.",
  },
});
