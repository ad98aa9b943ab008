import { chainMembers, prose, time } from "./common.ts";
import { described, list, object, optional, text, whole } from "./shape.ts";

/** advisory-database/v1: of what a database of advisories was made; its subject is the file. */
export const advisoryDatabase = object({
  ...chainMembers,
  compiledAt: time,
  sources: list(
    object({
      name: text({ pattern: /^[a-z0-9][a-z0-9-]{0,63}$/, max: 64 }),
      kind: text({ pattern: /^[a-z][a-z0-9-]{0,63}$/, max: 64 }),
      digest: described("SHA-256 of the source's bytes.", text({ pattern: /^sha256:[0-9a-f]{64}$/, max: 71 })),
      origin: described("Where the bytes came from.", prose),
      importedAt: time,
      newest: optional(described("Date of the newest record.", text({ max: 64 }))),
      licence: optional(prose),
      revision: optional(prose),
      records: whole(),
      leftOut: described("Records that were no advisories.", whole()),
    }),
    { max: 1000 },
  ),
});
