import { chainMembers, digest, name, spiffeId, time, uri } from "./common.ts";
import { described, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

const use = object({
  name: described("Name of the credential in the user's configuration. The secret itself stands nowhere.", name),
  kind: described("Where the secret was kept.", oneOf("file", "environment", "keyring", "command")),
  host: described("The one host that it was sent to, with its port unless the usual one.", text({ max: 300 })),
  purpose: oneOf("fetch", "git", "publish"),
  step: described("The step on whose behalf it was sent; the step never saw it.", name),
  requests: described("How many requests carried it.", whole({ min: 1 })),
  expiresAt: optional(described("When it ends, where configuration or token say.", time)),
});

/** credential-issuance/v1: every certificate that was issued for a run, and every use of a secret of others. */
export const credentialIssuance = object({
  ...chainMembers,
  issuer: described("Issuer URL in the certificates.", uri),
  certificates: list(
    object({
      spiffeId,
      profile: oneOf("signing", "authentication"),
      serial: text({ pattern: /^[0-9a-f]{2,40}$/, max: 40 }),
      notBefore: time,
      notAfter: time,
      certificate: described("SHA-256 of the DER certificate.", digest),
      publicKey: described("SHA-256 of the DER SubjectPublicKeyInfo.", digest),
      issuer: described("SHA-256 of the DER certificate of the issuing authority.", digest),
    }),
    { min: 1, max: 100_000 },
  ),
  uses: optional(
    described(
      "Credentials of others that the control plane sent on the way out; absent when none was used.",
      list(use, { max: 10_000 }),
    ),
  ),
});
export type CredentialIssuancePredicate = Of<typeof credentialIssuance>;
