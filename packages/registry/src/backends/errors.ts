import { defineErrors } from "@touchmark/core";

/** Error codes of the registry's backends, of collection and of the check. */
export const registryBackendErrors = defineErrors({
  REGISTRY_BACKEND_TARGET_MISSING: {
    nature: "invalid",
    meaning: "A tag was to point to a manifest that its repository does not have.",
    hint: "Push the manifest first.",
  },
  REGISTRY_FSCK_DAMAGED: {
    nature: "refused",
    meaning: "A blob or manifest of the registry no longer has the bytes of its digest.",
    hint: "Push it again, or restore it from a backup.",
  },
  REGISTRY_FSCK_MISSING: {
    nature: "refused",
    meaning: "A repository has a blob or manifest whose bytes are gone.",
    hint: "Push it again, or restore it from a backup.",
  },
  REGISTRY_FSCK_DANGLING: {
    nature: "refused",
    meaning: "A tag or a manifest points to what its repository does not have.",
    hint: "Push what is missing, or delete what points to it.",
  },
});
