import { chainMembers, digest, spiffeId, time, uri } from "./common.ts";
import { described, list, type Of, object, oneOf, text } from "./shape.ts";

/** credential-issuance/v1: every certificate that was issued for a run. */
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
});
export type CredentialIssuancePredicate = Of<typeof credentialIssuance>;
