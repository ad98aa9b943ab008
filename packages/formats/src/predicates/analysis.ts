import { chainMembers, digest, name, path, prose } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

const ref = described("Ref of the component in the SBOM.", text({ max: 8192 }));
const code = text({ pattern: /^[A-Z][A-Z0-9_]{2,63}$/, max: 64 });
const ruleId = text({ pattern: /^[a-z][a-z0-9-]{1,63}$/, max: 64 });

/** How many findings there are of each class. */
export const severityCounts = object({
  critical: whole(),
  high: whole(),
  medium: whole(),
  low: whole(),
  none: whole(),
  unscored: whole(),
});

/** Advisory data that a statement rests on, or why there was none. */
export const evaluation = object({
  evaluated: described("False: no advisory data was configured, and nothing is known of vulnerabilities.", flag),
  reason: optional(described("Why it was not evaluated.", prose)),
  database: optional(described("SHA-256 of the compiled advisory database.", digest)),
  counts: optional(severityCounts),
});

/** What a gate of scans said. */
export const scanGate = object({
  policy: optional(described("SHA-256 of the canonical rules; absent when there were none.", digest)),
  verdict: oneOf("passed", "refused", "not-evaluated"),
  results: list(
    object({
      rule: ruleId,
      outcome: oneOf("passed", "warned", "refused", "excepted", "not-evaluated"),
      message: prose,
      code: optional(code),
    }),
    { max: 64 },
  ),
});

/** licences/v1: the licence of each component, as declared, detected and judged. */
export const licences = object({
  ...chainMembers,
  policy: optional(described("SHA-256 of the canonical rules; absent when there were none.", digest)),
  components: list(
    object({
      component: ref,
      declared: optional(described("SPDX expression of the package's own words.", prose)),
      detected: optional(described("SPDX expression of the texts that were found.", prose)),
      class: oneOf("allowed", "warned", "denied", "unknown"),
      reason: prose,
    }),
    { max: 200_000 },
  ),
});
export type Licences = Of<typeof licences>;

/** analysis/v1: what an artifact consists of and what is known of it; the factory's own word, in one place. */
export const analysis = object({
  ...chainMembers,
  artifact: described("Name of the artifact, or reference of the image.", name),
  digest: described("What was catalogued.", digest),
  sbom: object({
    bundle: described("Bundle of the SBOM.", digest),
    components: whole(),
    edges: whole(),
    created: optional(text({ max: 64 })),
    losses: described(
      "What could not be read, and why.",
      list(object({ path, code, message: prose }), { max: 10_000 }),
    ),
  }),
  materials: described(
    "Components that the run fetched, locked or built: build materials, told apart from what was shipped.",
    whole(),
  ),
  vulnerabilities: object({
    bundle: optional(described("Bundle of the list of vulnerabilities.", digest)),
    evaluated: flag,
    reason: optional(prose),
    database: optional(digest),
    counts: optional(severityCounts),
  }),
  licences: object({
    bundle: described("Bundle of the licences.", digest),
    allowed: whole(),
    warned: whole(),
    denied: whole(),
    unknown: whole(),
  }),
  unaccounted: described("Components that nobody fetched or built.", list(ref, { max: 100_000 })),
  unowned: described("Executable files that belong to no component.", list(path, { max: 100_000 })),
  gate: scanGate,
});
export type Analysis = Of<typeof analysis>;
