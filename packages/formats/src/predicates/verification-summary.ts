import { digestSet, resource, time, uri } from "./common.ts";
import { anyObject, described, list, type Of, oneOf, openObject, optional, text } from "./shape.ts";

/** SLSA verification summary v1: what a gate decided about an artifact, by which policy and which evidence. */
export const verificationSummary = openObject({
  verifier: described("Who decided.", openObject({ id: uri, version: optional(anyObject) })),
  timeVerified: time,
  resourceUri: described("Where the artifact was to go: `oci://HOST/NAME:TAG` for a promotion.", uri),
  policy: described("What was demanded.", openObject({ uri: optional(uri), digest: optional(digestSet) })),
  inputAttestations: optional(
    described("Bundles that the decision rests on, by digest.", list(resource, { max: 10_000 })),
  ),
  verificationResult: described("`FAILED` is a refusal.", oneOf("PASSED", "FAILED")),
  verifiedLevels: described("What was found to hold; empty for a refusal.", list(text({ max: 256 }), { max: 100 })),
  slsaVersion: optional(text({ max: 32 })),
});
export type VerificationSummary = Of<typeof verificationSummary>;
