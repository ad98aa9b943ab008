import { defineErrors } from "@touchmark/core";

/** Error codes of taking files out of an image (SPEC S). */
export const slimErrors = defineErrors({
  SLIM_PATTERN_INVALID: {
    nature: "invalid",
    meaning: "A pattern of paths is empty, too long, or leads out of the image.",
    hint: "Write paths of the image such as usr/share/doc/**; * stands within a name, ** for any depth.",
  },
  SLIM_NOTHING_REMOVED: {
    nature: "invalid",
    meaning: "Nothing in the image is removed by the given rules, so there is nothing to make.",
  },
  SLIM_ATTRIBUTES_LOST: {
    nature: "refused",
    meaning:
      "A file that stays has extended attributes, file capabilities above all, which the new layer could not carry.",
    hint: "Remove the file too, or take the capability away before.",
  },
  SLIM_TRACE_INCOMPLETE: {
    nature: "refused",
    meaning: "A trace that says what is used may have missed something, so that what it does not name may be used.",
    hint: "Run the step again under an observer that loses nothing; touchmark doctor says which there is.",
  },
  SLIM_TOO_MANY: {
    nature: "refused",
    meaning: "More files would be removed than a signed list holds (60,000).",
    hint: "Remove in several steps, each with a list of its own.",
  },
});
