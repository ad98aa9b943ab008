import { defineErrors } from "@touchmark/core";

/** Error codes of following a tag. */
export const watchErrors = defineErrors({
  WATCH_TAG_MISSING: {
    nature: "invalid",
    meaning: "What is to be followed has no tag: a digest never changes.",
    hint: "Name HOST/NAME:TAG.",
  },
  WATCH_NOT_AN_IMAGE: {
    nature: "refused",
    meaning: "The followed tag names no image now, but an artifact of another kind, or an index without images.",
  },
  WATCH_STATE_INVALID: {
    nature: "refused",
    meaning:
      "What is remembered of a followed tag is no document of ours, or the signed evaluation that it rests on does not verify.",
    hint: "Remove the file that the message names: the tag is then evaluated as if for the first time.",
  },
});
