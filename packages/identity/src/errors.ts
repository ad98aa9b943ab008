import { defineErrors } from "@touchmark/core";

/** Error codes of the identity package. */
export const identityErrors = defineErrors({
  TRUST_DOMAIN_INVALID: {
    nature: "invalid",
    meaning: "A trust domain is not a lower-case host name.",
    hint: "Use a name such as factory.example.org.",
  },
  SPIFFE_ID_INVALID: {
    nature: "invalid",
    meaning: "An identity is not spelled spiffe://<trust domain>/<path> (SPIFFE-ID section 2).",
  },
  IDENTITY_FOREIGN: { nature: "refused", meaning: "A certificate was asked for in another trust domain." },
  IDENTITY_NOT_PERMITTED: {
    nature: "refused",
    meaning: "The asking part of the factory may not have this identity; `attest` never gets that of a step.",
  },
});
