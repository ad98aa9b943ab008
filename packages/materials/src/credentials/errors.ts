import { defineErrors } from "@touchmark/core";

/** Error codes of credentials. No message ever holds a secret. */
export const credentialErrors = defineErrors({
  CREDENTIAL_FILE_MODE: {
    nature: "refused",
    meaning: "A file with a secret can be read by others, or belongs to somebody else.",
    hint: "chmod 600 it, and own it.",
  },
  CREDENTIAL_UNAVAILABLE: {
    nature: "invalid",
    meaning: "A configured secret is not where materials.yaml says, or its program failed.",
  },
  CREDENTIAL_MALFORMED: {
    nature: "invalid",
    meaning: "A configured secret is not one line of 6 to 16384 printable ASCII characters.",
  },
  CREDENTIAL_EXPIRED: {
    nature: "refused",
    meaning: "A configured secret has expired, by the configuration or by its own words.",
  },
  CREDENTIAL_INSECURE: {
    nature: "refused",
    meaning: "A secret is bound to a host that is asked over plain http.",
    hint: "Use https for this upstream, or remove its credential.",
  },
  CREDENTIAL_TRIGGER_UNTRUSTED: {
    nature: "refused",
    meaning: "A run that an untrusted trigger started asks for something that needs a secret.",
    hint: "Runs for outside contributions get no secrets. Start the run yourself after looking at the change.",
  },
});
