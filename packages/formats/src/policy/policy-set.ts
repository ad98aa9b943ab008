import { digest, prose, time } from "../predicates/common.ts";
import { described, list, type Of, object, oneOf, optional, record, text, whole } from "../predicates/shape.ts";
import { celName, functionary, identifier } from "./policy.ts";

/** policy-set/v1: which documents are in force, pinned by digest. */
export const policySet = object({
  touchmark: oneOf("policy-set/v1"),
  name: identifier,
  version: described("Only ever grows: a lower one than was seen is refused.", whole({ min: 1 })),
  expires: time,
  description: optional(prose),
  engine: optional(
    described("Least version of the engine that understands it.", text({ pattern: /^\d+\.\d+\.\d+$/, max: 32 })),
  ),
  members: described(
    "Policies and layouts by SHA-256 of their bytes.",
    list(object({ kind: oneOf("policy", "layout"), name: identifier, digest }), { min: 1, max: 1000 }),
  ),
  trust: optional(described("Who may sign the set's next version.", record(functionary, celName))),
  threshold: optional(described("How many of them must. Default 1.", whole({ min: 1, max: 100 }))),
});
export type PolicySet = Of<typeof policySet>;
