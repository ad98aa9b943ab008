import { defineErrors } from "@touchmark/core";

/** What is wrong with a layout itself, whatever the evidence. */
export const layoutErrors = defineErrors({
  LAYOUT_STEP_DUPLICATE: {
    nature: "invalid",
    meaning: "Two steps or inspections of a layout have one name, or one is named `source`.",
  },
  LAYOUT_STEP_UNKNOWN: {
    nature: "invalid",
    meaning: "A layout names a step that it does not have: in `after`, in a MATCH rule, or as the step of a subject.",
  },
  LAYOUT_CYCLE: { nature: "invalid", meaning: "Steps of a layout wait for each other." },
  LAYOUT_FUNCTIONARY_UNKNOWN: {
    nature: "invalid",
    meaning: "A step names a functionary that the layout does not have, or one with neither identity nor key.",
  },
  LAYOUT_THRESHOLD: { nature: "invalid", meaning: "A step wants more functionaries than it names." },
  LAYOUT_PARAMETER: {
    nature: "invalid",
    meaning: "A classic layout has a placeholder for which no parameter was given, or one that is no plain `{NAME}`.",
    hint: "Give each with --parameter NAME=VALUE; a brace that is meant as such is written twice.",
  },
  LAYOUT_RULE_INVALID: {
    nature: "invalid",
    meaning: "A MATCH rule does not say from which step, or another rule says what only MATCH can have.",
  },
});
