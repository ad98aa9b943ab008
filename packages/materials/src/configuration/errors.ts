import { defineErrors } from "@touchmark/core";

/** Error codes of the user's configuration of dependency ingestion. */
export const materialsConfigurationErrors = defineErrors({
  MATERIALS_CONFIG_MISSING: {
    nature: "invalid",
    meaning: "There is no materials.yaml in the home.",
    hint: "touchmark init writes one from what the installed clients are configured for.",
  },
  MATERIALS_CONFIG_MALFORMED: {
    nature: "invalid",
    meaning: "materials.yaml is not one strict YAML 1.2 document within the limits.",
  },
  MATERIALS_CONFIG_KEY_UNKNOWN: {
    nature: "invalid",
    meaning: "materials.yaml holds a key that its place does not have.",
  },
  MATERIALS_CONFIG_VALUE_INVALID: {
    nature: "invalid",
    meaning: "A value in materials.yaml has the wrong type or shape for its place, or does not fit another value.",
  },
  MATERIALS_CONFIG_URL_INVALID: {
    nature: "invalid",
    meaning: "An address in materials.yaml is no absolute http address, or holds user information, query or fragment.",
    hint: "Secrets stand below credentials, by reference to where they are kept.",
  },
  MATERIALS_CONFIG_URL_INSECURE: {
    nature: "invalid",
    meaning: "An upstream is asked over plain http on another host, which nobody allowed.",
    hint: "Use https, or set insecure-http: true for that upstream; it is recorded.",
  },
});

/** Codes of `materialsConfigurationErrors`. */
export type MaterialsConfigurationCode = keyof typeof materialsConfigurationErrors.rows;
