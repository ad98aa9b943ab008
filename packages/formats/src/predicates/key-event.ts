import { chainMembers, digest, name, prose, time } from "./common.ts";
import { described, flag, type Of, object, oneOf, optional, whole } from "./shape.ts";

/** key-event/v1: one line of the key ledger. */
export const keyEvent = object({
  ...chainMembers,
  event: oneOf("created", "rotated", "retired", "revoked", "expired", "opened", "backed-up", "restored"),
  at: time,
  key: object({
    role: described(
      "What the key is for.",
      oneOf(
        "root",
        "intermediate",
        "timestamp",
        "log",
        "witness",
        "compatibility",
        "release",
        "tuf-root",
        "tuf-targets",
        "tuf-snapshot",
        "tuf-timestamp",
        "person",
        "service",
      ),
    ),
    algorithm: name,
    publicKey: described("SHA-256 of the DER SubjectPublicKeyInfo.", digest),
    certificate: optional(digest),
    storage: described(
      "Where the private half is.",
      oneOf("encrypted-file", "file", "memory", "tpm", "hsm", "kms", "offline"),
    ),
    online: flag,
    threshold: optional(whole({ min: 1 })),
    notBefore: optional(time),
    notAfter: optional(time),
  }),
  successor: optional(described("Public key that takes over.", digest)),
  reason: prose,
  invalidSince: optional(described("For a revocation: from when on signatures do not count.", time)),
  responsible: described("Who decided.", name),
});
export type KeyEvent = Of<typeof keyEvent>;
