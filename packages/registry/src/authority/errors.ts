import { defineErrors } from "@touchmark/core";

/** Error codes of a registry's authority, quotas and rates. */
export const registryAuthorityErrors = defineErrors({
  REGISTRY_AUTH_REQUIRED: {
    nature: "refused",
    meaning: "What was asked for needs a credential, and none was shown.",
  },
  REGISTRY_AUTH_HEADER_INVALID: {
    nature: "refused",
    meaning: "The Authorization header is not one Basic or Bearer credential within the limits.",
  },
  REGISTRY_AUTH_CREDENTIALS_WRONG: {
    nature: "refused",
    meaning: "There is no such user, or the password is another; which of both is not said.",
  },
  REGISTRY_AUTH_LOCKED: {
    nature: "unavailable",
    meaning: "Too many wrong credentials came from this address, or for this user, in a short time.",
    hint: "Wait as long as the answer says.",
  },
  REGISTRY_AUTH_BUSY: {
    nature: "unavailable",
    meaning: "Too many passwords wait to be checked.",
    hint: "Ask again later; clients that use tokens seldom wait.",
  },
  REGISTRY_AUTH_HASH_INVALID: {
    nature: "invalid",
    meaning: "A password's hash is not a scrypt hash within the limits.",
    hint: "touchmark registry user add writes one.",
  },
  REGISTRY_AUTH_PASSWORD_WEAK: {
    nature: "invalid",
    meaning: "A new password is too short, too long, or holds control characters.",
  },
  REGISTRY_AUTH_USER_UNKNOWN: { nature: "invalid", meaning: "There is no user of this name to take out." },
  REGISTRY_TOKEN_MALFORMED: {
    nature: "refused",
    meaning: "A bearer token is not a compact JWT of this registry's form.",
  },
  REGISTRY_TOKEN_ALGORITHM_REFUSED: {
    nature: "refused",
    meaning: "A token's header names another algorithm than ES256, such as none.",
  },
  REGISTRY_TOKEN_KEY_UNKNOWN: {
    nature: "refused",
    meaning: "A token was signed with a key that this registry does not have, or no longer.",
  },
  REGISTRY_TOKEN_SIGNATURE_WRONG: {
    nature: "refused",
    meaning: "A token's signature is not by the key that it names.",
  },
  REGISTRY_TOKEN_ISSUER_WRONG: { nature: "refused", meaning: "A token was issued by something other than a registry." },
  REGISTRY_TOKEN_AUDIENCE_WRONG: { nature: "refused", meaning: "A token is for another service." },
  REGISTRY_TOKEN_EXPIRED: { nature: "refused", meaning: "A token's life is over." },
  REGISTRY_TOKEN_NOT_YET_VALID: { nature: "refused", meaning: "A token's life has not begun." },
  REGISTRY_TOKEN_SUBJECT_UNKNOWN: {
    nature: "refused",
    meaning: "A token's subject is no longer a user of this registry.",
  },
  REGISTRY_TOKEN_REQUEST_INVALID: {
    nature: "invalid",
    meaning: "A request for a token is not as the distribution token protocol has it.",
  },
  REGISTRY_TOKEN_SERVICE_WRONG: { nature: "invalid", meaning: "A token is asked for another service." },
  REGISTRY_TOKEN_SCOPE_INVALID: {
    nature: "invalid",
    meaning: "A scope is not repository:NAME:ACTIONS with one valid repository, or there are too many.",
  },
  REGISTRY_TOKEN_LIFETIME_INVALID: {
    nature: "invalid",
    meaning: "A token is asked for a life that is too long, or none.",
  },
  REGISTRY_TOKEN_KEY_DAMAGED: {
    nature: "invalid",
    meaning: "The file with the key that signs tokens is not what the registry wrote.",
    hint: "touchmark registry token rotate makes a new one; tokens of the old one stop working.",
  },
  REGISTRY_TOKEN_KEY_EXPOSED: {
    nature: "invalid",
    meaning: "Others than its owner can read the key that signs tokens.",
    hint: "touchmark registry token rotate makes a new one, which nobody has seen.",
  },
  REGISTRY_PROMOTION_REFUSED: {
    nature: "refused",
    meaning: "Only the gate may set this tag, and no signed decision among the referrers lets it.",
    hint: "Promote with `touchmark image promote`, which leaves a signed decision.",
  },
  REGISTRY_QUOTA_EXCEEDED: {
    nature: "refused",
    meaning: "The repository, or the registry, would hold more than its quota.",
    hint: "Delete what is not needed and run `touchmark registry gc`, or raise the quota.",
  },
  REGISTRY_RATE_LIMITED: {
    nature: "unavailable",
    meaning: "A caller or a remote address asks more often than it may.",
    hint: "Wait as long as the answer says.",
  },
});

/** Codes of `registryAuthorityErrors`. */
export type RegistryAuthorityCode = keyof typeof registryAuthorityErrors.rows;
