import { defineErrors } from "@touchmark/core";

/** Error codes of a registry's configuration. */
export const registryConfigurationErrors = defineErrors({
  REGISTRY_CONFIG_UNREADABLE: {
    nature: "invalid",
    meaning: "A file that the registry's configuration is or names cannot be read.",
  },
  REGISTRY_CONFIG_EXPOSED: {
    nature: "invalid",
    meaning: "registry.yaml can be written by others than its owner, who could grant themselves anything.",
    hint: "chmod go-w the file",
  },
  REGISTRY_CONFIG_KEY_EXPOSED: {
    nature: "invalid",
    meaning: "Everybody on this host can read the private key of the registry's certificate.",
    hint: "chmod o-rwx the file, and replace the key",
  },
  REGISTRY_CONFIG_MALFORMED: {
    nature: "invalid",
    meaning: "registry.yaml is not one strict YAML 1.2 document within the limits.",
  },
  REGISTRY_CONFIG_KEY_UNKNOWN: {
    nature: "invalid",
    meaning: "registry.yaml holds a key that its place does not have.",
  },
  REGISTRY_CONFIG_VALUE_INVALID: {
    nature: "invalid",
    meaning: "A value in registry.yaml has the wrong type or shape for its place, or does not fit another value.",
  },
  REGISTRY_CONFIG_LISTEN_INVALID: {
    nature: "invalid",
    meaning: "What the registry should listen at is no HOST:PORT, [ADDRESS]:PORT or unix:PATH.",
  },
  REGISTRY_CONFIG_STORAGE_KEYS_MISSING: {
    nature: "invalid",
    meaning: "The registry lies in an object storage, and the environment names no keys for it.",
    hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  },
  REGISTRY_CONFIG_TLS_UNAVAILABLE: {
    nature: "invalid",
    meaning: "The factory's own authority is to certify names, and there is no factory here.",
    hint: "Give certificate and key as files, or make a factory with `touchmark run`.",
  },
  REGISTRY_CONFIG_PLAIN_HTTP: {
    nature: "invalid",
    meaning: "The registry would listen beyond this host without TLS, which shows credentials to the network.",
    hint: "Give --tls-name, or --tls-cert and --tls-key; or --insecure-plain-http when something before it speaks TLS.",
  },
});

/** Codes of `registryConfigurationErrors`. */
export type RegistryConfigurationCode = keyof typeof registryConfigurationErrors.rows;
