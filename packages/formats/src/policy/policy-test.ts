import { digest, name, prose, time } from "../predicates/common.ts";
import { anyObject, described, list, type Of, object, oneOf, optional, record, text } from "../predicates/shape.ts";
import { decisionPoints, identifier } from "./policy.ts";

/** A statement as a test states it: verified is what the test says is verified. Only tests of policies take it. */
export const testStatement = object({
  predicateType: text({ max: 2048 }),
  predicate: anyObject,
  subject: optional(
    described(
      "Default: the subject of the test.",
      list(object({ name: optional(name), digest: optional(digest) }), { max: 1000 }),
    ),
  ),
  identity: optional(name),
  issuer: optional(name),
  key: optional(digest),
  time: optional(time),
});

/** policy-test/v1: evidence, clock and parameters, and what must come of each rule. */
export const policyTest = object({
  touchmark: oneOf("policy-test/v1"),
  policy: described("Path of the policy, from the test's file.", text({ max: 4096 })),
  cases: list(
    object({
      name: prose,
      point: optional(oneOf(...decisionPoints)),
      now: optional(time),
      subject: optional(object({ name: optional(name), digest: optional(digest) })),
      request: optional(anyObject),
      chain: optional(described("Facts of a verified chain.", anyObject)),
      layout: optional(
        described("What came of the policy's layout, in place of links.", oneOf("satisfied", "refused")),
      ),
      parameters: optional(anyObject),
      evidence: optional(list(testStatement, { max: 1000 })),
      exceptions: optional(list(anyObject, { max: 100 })),
      expect: object({
        decision: oneOf("allow", "deny"),
        rules: optional(record(oneOf("passed", "failed", "excepted", "skipped", "pending", "error"))),
        codes: optional(list(identifier, { max: 100 })),
      }),
    }),
    { min: 1, max: 1000 },
  ),
});
export type PolicyTest = Of<typeof policyTest>;
