import { defineErrors } from "@touchmark/core";

/** Error codes of classic layouts and their inspections. */
export const inspectionErrors = defineErrors({
  LAYOUT_SUBLAYOUTS: {
    nature: "refused",
    meaning: "A classic layout delegates deeper, or to more layouts, than is followed.",
  },
  LAYOUT_INSPECTION_PRODUCT: {
    nature: "refused",
    meaning: "What an inspection left behind cannot be read, or is more than is looked at.",
  },
  LAYOUT_ARTIFACT_CHANGED: {
    nature: "refused",
    meaning: "The artifact was altered between being judged and being inspected.",
  },
  LAYOUT_STEP_ABSENT: {
    nature: "invalid",
    meaning: "The step whose product the artifact should be is none of the layout's.",
    hint: "--layout-step names one of its steps; without it, the last one counts.",
  },
});
