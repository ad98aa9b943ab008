import { defineErrors } from "@touchmark/core";

/** Error codes of the registry's backends, of collection and of the check. */
export const registryBackendErrors = defineErrors({
  REGISTRY_BACKEND_TARGET_MISSING: {
    nature: "invalid",
    meaning: "A tag was to point to a manifest that its repository does not have.",
    hint: "Push the manifest first.",
  },
});
