import { defineErrors } from "@touchmark/core";

/** Error codes of the library and of policies by example. */
export const libraryErrors = defineErrors({
  LIBRARY_RUN_UNFIT: {
    nature: "refused",
    meaning: "A run cannot be the example of a policy: what it suggests would not accept the run itself.",
    hint: "Take a newer run, and an expiry in the future.",
  },
});
