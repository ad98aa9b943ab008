import { chainMembers, digest, name, prose, time } from "./common.ts";
import { described, list, type Of, object, oneOf, optional } from "./shape.ts";

/** vex-decision/v1: a person lets the statements of a VEX document count in this factory. Its subject is the document. */
export const vexDecision = object({
  ...chainMembers,
  document: described("SHA-256 of the document.", digest),
  format: oneOf("openvex", "csaf", "cyclonedx"),
  author: described("Who the document says made it.", prose),
  approver: described("Person who answers for taking it.", name),
  reason: prose,
  expires: optional(described("From when on it counts no more.", time)),
  projects: described("Only artifacts of these; empty: of all.", list(name, { max: 1000 })),
  artifacts: described("Only these; empty: all.", list(digest, { max: 10_000 })),
});
export type VexDecision = Of<typeof vexDecision>;
