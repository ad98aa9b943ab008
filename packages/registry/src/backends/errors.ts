import { defineErrors } from "@touchmark/core";

/** Error codes of the registry's backends, of collection and of the check. */
export const registryBackendErrors = defineErrors({
  REGISTRY_BACKEND_TARGET_MISSING: {
    nature: "invalid",
    meaning: "A tag was to point to a manifest that its repository does not have.",
    hint: "Push the manifest first.",
  },
  REGISTRY_BACKEND_COLLECTED: {
    nature: "unavailable",
    meaning: "Content that was old and unused was collected in the very moment in which somebody began to use it.",
    hint: "Push it again.",
  },
  REGISTRY_BACKEND_DATABASE_FOREIGN: {
    nature: "refused",
    meaning: "The database of a registry is damaged, newer than this program, or has tables that are none of its own.",
    hint: "Restore HOME/registry from a backup.",
  },
  REGISTRY_BACKEND_STORAGE_UNAVAILABLE: {
    nature: "unavailable",
    meaning: "The object storage did not answer in time, or said that it cannot at the moment.",
  },
  REGISTRY_BACKEND_STORAGE_REFUSED: {
    nature: "refused",
    meaning: "The object storage refused a request of the registry, or answered what its protocol does not allow.",
    hint: "Check endpoint, bucket, region and credentials, and what these may do.",
  },
  REGISTRY_BACKEND_RECORD_INVALID: {
    nature: "refused",
    meaning: "An object among the registry's own in the object storage is none that it wrote.",
    hint: "Delete the object; push again what it was about.",
  },
  REGISTRY_BACKEND_COLLECTION_BUSY: {
    nature: "unavailable",
    meaning: "Another collection of the same registry is going on.",
  },
  REGISTRY_BACKEND_READ_ONLY: {
    nature: "refused",
    meaning: "The registry is a mirror of another one, and takes nothing from clients.",
    hint: "Push to the registry that it mirrors.",
  },
  REGISTRY_BACKEND_UPSTREAM_AWAY: {
    nature: "unavailable",
    meaning: "The registry that is mirrored does not answer, and the mirror does not have what was asked for.",
  },
  REGISTRY_BACKEND_UPSTREAM_REFUSED: {
    nature: "refused",
    meaning: "The registry that is mirrored refused, or answered with content of another digest or above the limit.",
    hint: "Check what the mirror's credentials may read; the cause stands in its log.",
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
