import { defineErrors } from "@touchmark/core";

/** Error codes of the pipeline package. */
export const pipelineErrors = defineErrors({
  PIPELINE_MISSING: {
    nature: "invalid",
    meaning: "The revision holds no touchmark.yaml.",
    hint: "touchmark init proposes one; commit it",
  },
  MATERIAL_UNKNOWN: { nature: "invalid", meaning: "No package of that name came into the run that was asked about." },
  MATERIALS_LOCKFILE_MISSING: {
    nature: "invalid",
    meaning: "A fetch step names a lockfile that the source does not hold, or that is too large to read.",
    hint: "materials.lockfiles of a step names files of the source",
  },
  MATERIALS_LOCKFILES_CONFLICT: {
    nature: "refused",
    meaning: "Two lockfiles that speak for one fetch step cannot both be true.",
    hint: "name the one that counts under materials.lockfiles of the step, or bring both up to date",
  },
  INPUT_CHANGED: {
    nature: "refused",
    meaning: "An input no longer has the digest that its statement gives, when a step is about to start.",
  },
  ISOLATION_BELOW_DEMAND: {
    nature: "refused",
    meaning: "This host cannot isolate a step as the pipeline demands.",
    hint: "touchmark doctor says what is missing and how to get it",
  },
  IDENTITY_GONE: {
    nature: "refused",
    meaning: "A home has runs, and the keys that signed them are gone; no new ones are made in their place.",
    hint: "Restore a backup (touchmark restore), or begin another home (TOUCHMARK_HOME).",
  },
  PROCESS_NOT_ALLOWED: {
    nature: "refused",
    meaning: "A step asks for insecure-process, and the caller did not allow it.",
    hint: "pass --insecure-process to allow it; the provenance records it",
  },
  ARTIFACT_MISSING: {
    nature: "refused",
    meaning: "A step that succeeded left no file where an artifact is declared.",
  },
  ARTIFACT_CHANGED: {
    nature: "refused",
    meaning: "A file of a step's output is no longer what it was when the step ended, and was to become an artifact.",
    hint: "the altered tree was set aside; run again",
  },
  ARTIFACT_KIND_MISMATCH: {
    nature: "refused",
    meaning: "An artifact is a directory where a file is declared, or the reverse.",
  },
  CACHE_POISONED: {
    nature: "refused",
    meaning: "A cached step result is not supported by its signed evidence.",
    hint: "the entry was set aside; run again, or with --no-cache",
  },
  EVIDENCE_MISSING: {
    nature: "refused",
    meaning: "No evidence is stored for this artifact.",
    hint: "touchmark runs lists what this factory has built; an exported artifact is verified with --evidence",
  },
  PROJECT_SOURCE_UNKNOWN: {
    nature: "refused",
    meaning: "The evidence leads to a source that nobody asked this factory to build under the project's name.",
  },
  ARTIFACT_UNKNOWN: {
    nature: "invalid",
    meaning: "No file of that name exists, and no artifact of that digest is stored.",
  },
  RUN_UNKNOWN: { nature: "invalid", meaning: "No run of that name is recorded.", hint: "touchmark runs lists them" },
  RUN_INCOMPLETE: {
    nature: "invalid",
    meaning: "What a step of a run started from is not stored: the run never got there, or it was pruned.",
    hint: "run it again",
  },
  STEP_UNKNOWN: { nature: "invalid", meaning: "The run has no step of that name." },
  EXPORT_NOT_EMPTY: {
    nature: "invalid",
    meaning: "The directory to export to is not empty.",
    hint: "name a new directory",
  },
});
