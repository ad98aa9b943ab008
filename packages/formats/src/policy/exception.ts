import { digest, name, prose, time } from "../predicates/common.ts";
import { described, list, type Of, object, oneOf, optional, text } from "../predicates/shape.ts";
import { identifier } from "./policy.ts";

/**
 * exception/v1: rules that do not count for a while. It counts when somebody other than the requester signed it, as a
 * statement of predicate type `exceptionType` whose subject is the document.
 */
export const exception = object({
  touchmark: oneOf("exception/v1"),
  id: identifier,
  policy: described("Name of the policy whose rules are meant.", identifier),
  rules: described("Their ids; never all by a pattern.", list(identifier, { min: 1, max: 100 })),
  subject: described(
    "What it holds for: one digest, or a package URL.",
    object({ digest: optional(digest), purl: optional(text({ pattern: /^pkg:/, max: 2048 })) }),
  ),
  reason: prose,
  ticket: optional(text({ max: 2048 })),
  requester: described("Identity of who asked.", name),
  approvers: described(
    "Identities of whom a signature counts; never the requester's.",
    list(name, { min: 1, max: 100 }),
  ),
  created: time,
  expires: described("From then on it counts no more.", time),
});
export type PolicyException = Of<typeof exception>;
