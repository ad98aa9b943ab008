import { defineErrors } from "@touchmark/core";

/** Error codes of images that steps run in and artifacts stand on, and of what is published. */
export const runImageErrors = defineErrors({
  IMAGES_CONFIG_INVALID: {
    nature: "invalid",
    meaning: "images.yaml of the home is no strict YAML of its schema, or names files that are no keys.",
  },
  STEP_IMAGE_UNTRUSTED: {
    nature: "refused",
    meaning: "Nobody vouches for an image that a step wants to run in, or an artifact to stand on.",
    hint: "Build it in this factory, or name the key of whoever signs it in images.yaml of the home; insecure-image: true with --insecure-image takes it all the same, and is recorded.",
  },
  STEP_IMAGE_NOT_ALLOWED: {
    nature: "refused",
    meaning: "A step says insecure-image, and the caller did not allow it.",
    hint: "pass --insecure-image to allow it; the provenance records it",
  },
  STEP_IMAGE_UNKNOWN: {
    nature: "invalid",
    meaning: "The registry has no image of that name.",
    hint: "touchmark registry list shows what this factory has",
  },
  STEP_IMAGE_PLATFORM: {
    nature: "refused",
    meaning: "An image has no variant for the platform that it is wanted for.",
  },
  STEP_IMAGE_NOT_APART: {
    nature: "refused",
    meaning: "An artifact stands on the image that a step was built in: what builds need is no part of what runs.",
    hint: "Name a run base of its own, or scratch; allow: [build-base] takes it all the same, and is recorded.",
  },
  STEP_IMAGE_ANCESTRY: {
    nature: "refused",
    meaning:
      "An image of this factory stands on one for which nobody vouches: its line leads neither to a signed root nor to scratch.",
  },
  STEP_IMAGE_OFFLINE: {
    nature: "unavailable",
    meaning: "An image is not stored here, and the run was asked to do without network.",
    hint: "run once without --offline",
  },
  PUBLISH_TAG_INVALID: {
    nature: "invalid",
    meaning: "A tag to publish under is none, with its parameters filled in.",
  },
  PUBLISH_NOTHING: {
    nature: "invalid",
    meaning: "A run has nothing to publish, or several things for one place, or nothing says where it goes.",
    hint: "name one with --artifact, and where it goes with --to",
  },
  PUBLISH_EVIDENCE_MISSING: {
    nature: "refused",
    meaning: "What is to be published rests on evidence that is not stored.",
  },
});
