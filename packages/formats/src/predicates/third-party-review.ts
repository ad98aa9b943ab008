import { chainMembers, digest, name, prose, time } from "./common.ts";
import { described, list, type Of, object, oneOf, optional, text } from "./shape.ts";

/** third-party-review/v1: somebody looked at a component of others, and decided whether builds may use it. */
export const thirdPartyReview = object({
  ...chainMembers,
  packages: described(
    "Package URL, or a pattern with `*`; without a version it covers every version. The subject is the SHA-256 of this text.",
    text({ pattern: /^pkg:(?:npm|pypi|golang|cargo|maven|deb|git|generic)\/[^\s?#]+$/, max: 600 }),
  ),
  decision: described("`limit`: accepted for some steps alone.", oneOf("accept", "limit", "deny")),
  steps: optional(described("With `limit`: the steps.", list(name, { min: 1, max: 256 }))),
  party: described(
    "Who reviewed: the maker of the component (first), its user (second), or somebody else (third).",
    oneOf("first", "second", "third"),
  ),
  approver: described("Person who answers for the decision.", name),
  health: described("What was found of its maintenance: releases, maintainers, age, tests.", prose),
  disclosure: described("How its maintainers take reports of vulnerabilities, and how they answered so far.", prose),
  reasons: described("Why this decision.", list(prose, { min: 1, max: 100 })),
  expires: described("From then on the decision counts no more.", time),
  reviewed: optional(
    described(
      "Files that were looked at.",
      list(object({ purl: text({ max: 4096 }), digest: described("SHA-256 of the file.", digest) }), { max: 1000 }),
    ),
  ),
});
export type ThirdPartyReview = Of<typeof thirdPartyReview>;
