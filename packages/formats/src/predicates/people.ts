import { chainMembers, digest, name, prose, spiffeId, time } from "./common.ts";
import { described, list, type Of, object, oneOf, optional, text } from "./shape.ts";

/** Statements about what people may do, and did. */

/** Name of a user or environment, as it stands in a SPIFFE id. */
export const personName = text({ pattern: /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/, max: 63 });
/** A role, for example `release-manager`. */
const role = text({ pattern: /^[a-z][a-z0-9]*([-_./][a-z0-9]+)*$/, max: 64 });

/** user-enrolment/v1: whose key stands for a user from now on, or stands for one no more. Its subject is the key. */
export const userEnrolment = object({
  ...chainMembers,
  user: personName,
  identity: described("SPIFFE id in certificates of the user.", spiffeId),
  event: oneOf("enrolled", "removed"),
  publicKey: described("SHA-256 of SubjectPublicKeyInfo (DER).", digest),
  spki: described(
    "SubjectPublicKeyInfo (DER) in base64. The private key stays with the user.",
    text({ pattern: /^[A-Za-z0-9+/]+={0,2}$/, max: 1024 }),
  ),
  roles: described("Roles in which the user may approve.", list(role, { max: 100 })),
});
export type UserEnrolment = Of<typeof userEnrolment>;

/** approval/v1: a person approves an artifact in a role; signed with the person's own key. */
export const approval = object({
  ...chainMembers,
  user: personName,
  role: described("Role that the person acts in.", role),
  decision: described("`withdrawn` takes an earlier one back.", oneOf("approved", "withdrawn")),
  environment: optional(described("Only for this one; absent: for all.", personName)),
  reason: optional(prose),
  approvedAt: time,
  expires: optional(described("From then on it counts no more.", time)),
});
export type Approval = Of<typeof approval>;

/** deployment/v1: an artifact was let into an environment; signed with a credential issued for that, after the gate. */
export const deployment = object({
  ...chainMembers,
  artifact: described("Name of the artifact, as it was deployed.", name),
  environment: personName,
  decision: described("Bundle of the gate's decision that it rests on.", digest),
  previous: optional(
    described(
      "The deployment to the environment before this one that the order demanded.",
      object({ environment: personName, statement: digest }),
    ),
  ),
  caller: described("Who asked for it: SPIFFE id of a person, or name of an account of the host.", name),
  deployedAt: time,
});
export type Deployment = Of<typeof deployment>;
