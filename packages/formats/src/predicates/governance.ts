import { chainMembers, digest, gitId, name, prose, time } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

/** Statements about people and the source host; later floors fill them. */

const person = object({
  name: described("Account name in the system of record.", name),
  system: described("Which system that is.", name),
  id: optional(described("Stable id there.", name)),
});

/** review/v1: who looked at a change, when, and what they decided. */
export const review = object({
  ...chainMembers,
  repository: text({ max: 4096 }),
  change: object({ id: name, base: gitId, head: gitId, merged: optional(gitId) }),
  author: person,
  reviews: list(
    object({
      reviewer: person,
      decision: oneOf("approved", "changes-requested", "commented"),
      commit: described("The exact revision that was looked at.", gitId),
      at: time,
      role: optional(name),
    }),
    { max: 10_000 },
  ),
  required: described("How many approvals the branch demanded.", whole()),
  distinctFromAuthor: described(
    "True when every counted approval is by somebody else than author and committers.",
    flag,
  ),
  scope: described(
    "What was reviewed: code, a third-party component, a script, or access rights.",
    oneOf("code", "component", "script", "access"),
  ),
});
export type Review = Of<typeof review>;

/** role-export/v1: who may do what, as the system really has it. */
export const roleExport = object({
  ...chainMembers,
  system: name,
  exportedAt: time,
  connectorPermissions: described(
    "Which rights the export itself was made with; what it could not see is unknown.",
    list(name, { max: 1000 }),
  ),
  roles: list(object({ role: name, permissions: list(name, { max: 10_000 }) }), { max: 1000 }),
  assignments: list(object({ who: person, role: name, scope: name, since: optional(time), expires: optional(time) }), {
    max: 1_000_000,
  }),
  accessReview: optional(object({ owner: person, at: time, next: time })),
});
export type RoleExport = Of<typeof roleExport>;

/** repository-controls/v1: rules of a repository at one moment. */
export const repositoryControls = object({
  ...chainMembers,
  repository: text({ max: 4096 }),
  observedAt: time,
  connectorPermissions: list(name, { max: 1000 }),
  defaultBranch: name,
  controls: list(
    object({
      control: described("Name of the control, for example `require-signed-commits`.", name),
      ref: described("Branch or pattern that it covers.", name),
      state: described(
        "`unknown`: the connector could not see it, which never counts as enforced.",
        oneOf("enforced", "configured", "absent", "unknown"),
      ),
      since: optional(described("Continuously in force since.", time)),
      bypass: described("Who may pass by it.", list(name, { max: 10_000 })),
      detail: optional(prose),
    }),
    { max: 10_000 },
  ),
});
export type RepositoryControls = Of<typeof repositoryControls>;

/** drill/v1: an exercise and how long it took. */
export const drill = object({
  ...chainMembers,
  kind: oneOf("key-compromise", "revocation", "restore", "incident", "rebuild", "rotation"),
  startedAt: time,
  finishedAt: time,
  scenario: prose,
  participants: list(person, { min: 1, max: 1000 }),
  measurements: list(object({ name, milliseconds: whole(), target: optional(whole()) }), { max: 1000 }),
  outcome: oneOf("passed", "failed", "partly"),
  findings: list(prose, { max: 1000 }),
  evidence: list(digest, { max: 10_000 }),
});
export type Drill = Of<typeof drill>;

/** human-answer/v1: what only a person can answer, with a date on which it stops counting. */
export const humanAnswer = object({
  ...chainMembers,
  requirement: described("Id of the requirement that the question belongs to.", name),
  question: prose,
  answer: oneOf("met", "partly", "unmet", "not-applicable"),
  explanation: prose,
  person,
  answeredAt: time,
  expires: time,
  evidence: list(object({ name, digest: optional(digest), uri: optional(text({ max: 4096 })) }), { max: 1000 }),
});
export type HumanAnswer = Of<typeof humanAnswer>;
