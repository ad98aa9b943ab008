import { defineErrors } from "@touchmark/core";

/** Error codes of the engine: mistakes of the program that calls it. What is decided about never throws. */
export const engineErrors = defineErrors({
  ENGINE_INPUT_TOO_DEEP: {
    nature: "bug",
    meaning: "Facts or parameters of a question are nested deeper than 200 levels; the decision denies.",
  },
  ENGINE_DECISION_STATED: {
    nature: "bug",
    meaning: "A decision over stated evidence, as tests of policies make it, was about to be signed or acted on.",
  },
});
