import { defineErrors } from "@touchmark/core";

/** Error codes of reviews: what a cluster asks, before any policy. */
export const reviewErrors = defineErrors({
  ADMISSION_REVIEW_MALFORMED: {
    nature: "invalid",
    meaning: "A request's body is no AdmissionReview: no JSON, nested too deeply, or a member is missing or wrong.",
  },
  ADMISSION_VERSION_UNSUPPORTED: {
    nature: "invalid",
    meaning: "A review is of another version than admission.k8s.io/v1.",
    hint: "Register the webhook with admissionReviewVersions [v1].",
  },
  ADMISSION_KIND_UNKNOWN: {
    nature: "refused",
    meaning: "A review is about a kind of which nobody said where its images stand.",
    hint: "Declare where its pod templates are with --template, or take the kind out of the webhook's rules.",
  },
  ADMISSION_OBJECT_MALFORMED: {
    nature: "refused",
    meaning: "A workload does not have the shape of its kind, so that its images cannot be found.",
  },
  ADMISSION_IMAGES_TOO_MANY: {
    nature: "refused",
    meaning: "A workload has more containers and image volumes than are looked at.",
  },
  ADMISSION_IMAGE_MISSING: {
    nature: "refused",
    meaning: "A container or an image volume of a workload names no image.",
    hint: "Say the image, by digest, in the object itself.",
  },
  ADMISSION_TEMPLATE_INVALID: {
    nature: "invalid",
    meaning: "A declaration of where a kind has its pod templates cannot be read.",
    hint: "Write GROUP/KIND=template:/spec/template; `*` in a path stands for every element of a list.",
  },
});
