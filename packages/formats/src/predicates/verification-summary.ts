import { chain, digest, digestSet, resource, time, uri } from "./common.ts";
import { anyObject, described, list, type Of, oneOf, openObject, optional, text } from "./shape.ts";

/** What a gate of the factory adds: which decision it was, and until when the next gate may rely on it. */
const decisionMark = openObject({
  point: described("Where it was taken.", oneOf("request", "dependency", "step", "publish", "deploy")),
  decision: described("SHA-256 of the decision's canonical JSON.", digest),
  record: described("Digest of the record with which it can be taken again.", digest),
  request: described("Digest of the facts of the question.", digest),
  policies: described("Policies that spoke, by digest.", list(digest, { max: 1000 })),
  expires: described("From then on the next gate does not rely on it.", time),
  denials: described(
    "Why it refused; empty where it did not.",
    list(openObject({ code: text({ max: 64 }), rule: optional(text({ max: 256 })) }), { max: 100 }),
  ),
});

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
  touchmark_decision: optional(decisionMark),
  touchmark_chain: optional(described("Place in a run's chain; absent for decisions outside of runs.", chain)),
});
export type VerificationSummary = Of<typeof verificationSummary>;
