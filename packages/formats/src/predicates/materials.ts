import { chainMembers, digest, name, path, time } from "./common.ts";
import { described, flag, list, type Of, object, oneOf, optional, text, whole } from "./shape.ts";

const ecosystem = oneOf("npm", "pypi", "golang", "cargo", "maven", "deb", "git", "generic");
const address = described("Without user information.", text({ max: 8192 }));
const code = text({ pattern: /^[A-Z][A-Z0-9_]{2,63}$/, max: 64 });
const rule = text({ pattern: /^[a-z][a-z0-9-]{1,63}$/, max: 64 });

const expectedDigest = object({
  algorithm: oneOf("md5", "sha1", "sha256", "sha384", "sha512", "h1"),
  value: text({ pattern: /^[0-9a-f]+$/, max: 128 }),
  source: described(
    "Who announced the digest.",
    oneOf("lockfile", "pipeline", "index", "checksum-file", "signed-index", "history"),
  ),
  from: described("File or address that announced it.", address),
});

const ruleResult = object({
  rule,
  outcome: oneOf("passed", "refused", "excepted", "not-applicable", "not-evaluated"),
  message: text({ max: 4096 }),
  exception: optional(text({ max: 256 })),
});

/** One response that came into a step. */
export const material = object({
  purl: optional(described("Package URL.", text({ max: 4096 }))),
  ecosystem,
  kind: oneOf("index", "metadata", "archive", "signature", "git", "download", "chatter"),
  url: address,
  redirects: optional(list(address, { max: 32 })),
  digest: described("SHA-256 of the body.", digest),
  size: whole(),
  expected: described("Digests that were announced, and that the body has.", list(expectedDigest, { max: 64 })),
  locked: described("An entry of a lockfile, or of the pipeline, allows it.", flag),
  mirrored: described("It came out of the factory's own mirror, where it was verified again.", flag),
  fetchedAt: described("When it came from upstream.", time),
  upstream: described("Name of the trusted repository in the configuration.", name),
  rules: described("Results of the gate other than passed and not-applicable.", list(ruleResult, { max: 64 })),
  evidence: optional(
    described(
      "What others vouch for.",
      list(
        object({
          kind: text({ pattern: /^[a-z0-9-]+$/, max: 64 }),
          outcome: oneOf("verified", "absent", "unreachable", "refused"),
          signer: optional(text({ max: 4096 })),
          message: text({ max: 4096 }),
        }),
        { max: 64 },
      ),
    ),
  ),
  installScripts: optional(list(text({ max: 4096 }), { max: 256 })),
});
export type Material = Of<typeof material>;

/** materials/v1: everything that came into one step, and how it was admitted. */
export const materials = object({
  ...chainMembers,
  step: name,
  offline: described("Nothing was asked of any upstream; all answers came from the mirror.", flag),
  rules: described("SHA-256 of the canonical rules in force: the user's, tightened by the project's.", digest),
  gate: described("The rules that were applied.", list(rule, { max: 64 })),
  lockfiles: list(
    object({
      path,
      format: text({ pattern: /^[a-z0-9-]+(\.[0-9]+)*$/, max: 64 }),
      digest: described("SHA-256 of the lockfile.", digest),
      packages: whole(),
      limits: described("What the lockfile cannot say.", list(text({ max: 1024 }), { max: 32 })),
    }),
    { max: 256 },
  ),
  upstreams: list(object({ name, ecosystem, url: address }), { max: 1024 }),
  materials: list(material, { max: 200_000 }),
  refused: described(
    "Requests and packages that were not let in.",
    list(
      object({ url: address, code, message: text({ max: 4096 }), purl: optional(text({ max: 4096 })), count: whole() }),
      {
        max: 10_000,
      },
    ),
  ),
  requests: whole(),
  bytes: whole(),
  accounted: described(
    "Everything that entered was recorded, had the digest that was announced, and was admitted; nothing was refused.",
    flag,
  ),
});
export type Materials = Of<typeof materials>;

/** reconciliation/v1: declared = admitted = fetched = recorded = used, over a whole run. */
export const reconciliation = object({
  ...chainMembers,
  steps: list(
    object({
      step: name,
      counts: described(
        "locked, fetched, other-platforms, unknown, never-used, ...",
        list(object({ name: rule, count: whole() }), { max: 64 }),
      ),
      summary: text({ max: 1024 }),
      differences: list(
        object({
          name: text({ pattern: /^[a-z][a-z0-9-]{1,63}$/, max: 64 }),
          effect: oneOf("refuse", "not-hermetic", "note"),
          count: whole(),
          sample: list(text({ max: 4096 }), { max: 100 }),
        }),
        { max: 64 },
      ),
      accounted: described("No difference refuses or ends the hermetic claim.", flag),
    }),
    { min: 1, max: 10_000 },
  ),
  hermetic: described(
    "Every step was observed completely and had no network, or one whose every answer is accounted for; every file read by a step is a material.",
    flag,
  ),
});
export type ReconciliationPredicate = Of<typeof reconciliation>;
