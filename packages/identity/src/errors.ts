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
  LEAF_LIFETIME_EXCEEDED: { nature: "refused", meaning: "A leaf certificate was asked for more than ten minutes." },
  LEAF_KEY_UNSUPPORTED: { nature: "invalid", meaning: "The public key to certify is not a point on P-256." },
  LEAF_HOST_INVALID: {
    nature: "invalid",
    meaning: "A host to certify is no lower-case DNS name or IP address, or stands in a leaf that signs.",
  },
  INTERMEDIATE_EXPIRED: {
    nature: "refused",
    meaning: "The intermediate certificate is not valid for the whole life of the leaf that was asked for.",
    hint: "Rotate the intermediate with the passphrase of the root key.",
  },
  ISSUER_INVALID: { nature: "invalid", meaning: "The issuer of an identity is no URL in printable ASCII." },
  LOG_ORIGIN_UNUSABLE: {
    nature: "invalid",
    meaning: "The log's origin is no host name, so no client could match it with the trusted root.",
  },
  PASSPHRASE_WEAK: { nature: "invalid", meaning: "The passphrase of the root key is too short." },
  PASSPHRASE_WRONG: {
    nature: "refused",
    meaning: "The root key file does not open with the passphrase, or is damaged.",
  },
  IDENTITY_NOT_CREATED: {
    nature: "invalid",
    meaning: "No factory identity stands in the directory.",
    hint: "Create one first.",
  },
  IDENTITY_INCOMPLETE: {
    nature: "refused",
    meaning: "The creation of the factory identity was interrupted, or a file of it is missing.",
    hint: "Create it again with the same passphrase: what was made stays, what is missing is added.",
  },
  IDENTITY_CONFLICT: {
    nature: "invalid",
    meaning: "A factory identity with other parameters stands in the directory.",
  },
  IDENTITY_VERSION_UNKNOWN: { nature: "invalid", meaning: "The identity directory was written by a newer version." },
  KEY_FILE_DAMAGED: {
    nature: "refused",
    meaning: "A key, certificate or state file is truncated, half written or of another kind.",
    hint: "Restore it from a backup; it is never made anew in silence.",
  },
  KEY_FILE_EXPOSED: {
    nature: "refused",
    meaning: "A key file can be read by others than its owner.",
    hint: "Treat the key as disclosed, or restore mode 0600 if it never was.",
  },
  DIRECTORY_EXPOSED: { nature: "refused", meaning: "The identity directory can be entered by others than its owner." },
  KEY_CERTIFICATE_MISMATCH: {
    nature: "refused",
    meaning: "A private key and the certificate beside it, or a certificate and its issuer, do not belong together.",
  },
  JOIN_TOKEN_LIFETIME: { nature: "invalid", meaning: "A join token was asked for that would live for too long." },
  JOIN_TOKEN_UNKNOWN: { nature: "refused", meaning: "A join token was never made here." },
  JOIN_TOKEN_USED: { nature: "refused", meaning: "A join token was used before; each works once." },
  JOIN_TOKEN_EXPIRED: { nature: "refused", meaning: "A join token was used after its time." },
  WORKLOAD_UNSUPPORTED: {
    nature: "invalid",
    meaning: "Workloads are attested by facts of the Linux kernel, and this is another system.",
  },
  WORKLOAD_GONE: { nature: "refused", meaning: "The process to attest, or that was attested, has ended." },
  WORKLOAD_NOT_OURS: { nature: "refused", meaning: "The process to attest was not started by the factory." },
  WORKLOAD_UNREADABLE: {
    nature: "refused",
    meaning: "The kernel does not let us read the facts of a process, because it runs as another user.",
  },
  WORKLOAD_PID_REUSED: {
    nature: "refused",
    meaning: "The number of the attested process now belongs to another process.",
  },
  WORKLOAD_EXECUTABLE_CHANGED: {
    nature: "refused",
    meaning: "The attested process has executed another program since it was attested.",
  },
  WORKLOAD_CHANGED: {
    nature: "refused",
    meaning: "User, group, namespace or control group of the attested process have changed.",
  },
  WORKLOAD_SELECTOR_MISMATCH: {
    nature: "refused",
    meaning: "A workload asked for an identity that is bound to other facts than its own.",
  },
  WORKLOAD_LABEL_MISSING: {
    nature: "refused",
    meaning: "A workload asked for an identity that demands a check of a gate, which is not known to be passed.",
  },
  IDENTITY_UNREGISTERED: { nature: "refused", meaning: "A workload asked for an identity that is bound to nothing." },
  IDENTITY_REGISTERED: { nature: "refused", meaning: "An identity was bound to a second set of facts." },
  USER_KEY_UNSUPPORTED: { nature: "invalid", meaning: "A person's key is no P-256 key in PEM." },
  USER_KEY_LOCKED: {
    nature: "invalid",
    meaning: "A person's encrypted key was opened without its passphrase, or with another.",
    hint: "TOUCHMARK_KEY_PASSPHRASE gives it to a command that nobody sits before",
  },
  USER_CHALLENGE_UNKNOWN: {
    nature: "refused",
    meaning: "A proof of possession answers a challenge that was not made for this name, was used, or is too old.",
  },
  USER_PROOF_WRONG: {
    nature: "refused",
    meaning: "A proof of possession was not made with the key that the person is enrolled with.",
  },
  SELECTORS_MISSING: { nature: "bug", meaning: "An identity was bound without any fact of the kernel." },
});
