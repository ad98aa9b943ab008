import { chainMembers, digest, name, path, prose, time, uri } from "./common.ts";
import { described, either, flag, list, type Of, object, oneOf, optional, record, text, whole } from "./shape.ts";

/** Who or what asked for a run, and what is known about them. */
export const actor = object({
  kind: described("Kind of caller.", oneOf("local-user", "schedule", "event", "service", "person")),
  name: described("Name as the authenticating system spells it.", name),
  id: optional(described("Number or address in that system, for example a uid.", name)),
  authentication: described(
    "How the caller was authenticated: by this host's kernel, by a token or certificate, or not at all.",
    oneOf("kernel", "token", "certificate", "none"),
  ),
});

/** Value of a typed pipeline parameter. */
export const parameter = either(text({ empty: true, max: 65_536 }), whole({ min: Number.MIN_SAFE_INTEGER }), flag);

/** What was asked for. Its digest is the statement's subject. */
export const request = object({
  source: object({ uri: described("Where the source was asked from.", text({ max: 4096 })), revision: name }),
  pipeline: object({ file: path, name }),
  parameters: record(parameter, /^[A-Za-z0-9_.-]{1,128}$/),
  insecureOptions: described(
    "Every option given that weakens security; each begins with `insecure`.",
    list(name, { max: 64 }),
  ),
  cache: flag,
  jobs: optional(whole({ min: 1 })),
  trusted: optional(described("False for a change from outside: its steps got no credential.", flag)),
});

/** trigger/v1: why there is this run. Signed before anything else happens. */
export const trigger = object({
  ...chainMembers,
  actor,
  cause: described("What set the run off.", oneOf("command", "schedule", "event", "api", "rebuild")),
  requestedAt: time,
  request,
  factory: object({
    name: described("The product that ran.", name),
    version: name,
    builder: described("SPIFFE id of the builder.", uri),
    program: optional(described("SHA-256 of the program that ran, where it is one file.", digest)),
  }),
  note: optional(prose),
});
export type Trigger = Of<typeof trigger>;
export type TriggerRequest = Of<typeof request>;
