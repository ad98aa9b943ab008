import { bytes, chainMembers, digest, name, path, prose } from "./common.ts";
import { described, list, type Of, object, oneOf, optional, text } from "./shape.ts";

const word = text({ max: 32_768, empty: true });

/** tag-evaluation/v1: what was found of a new digest behind a followed tag, before anybody builds on it. */
export const tagEvaluation = object({
  ...chainMembers,
  repository: described("Registry and repository, `HOST/NAME`, or another place of images.", name),
  tag: described("The tag that is followed.", text({ pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, max: 128 })),
  digest: described("What the tag named when it was evaluated; the subject.", digest),
  previous: optional(described("What was accepted before; absent the first time.", digest)),
  decision: described(
    "`accept`: no check failed. What was accepted becomes what the next one is compared with.",
    oneOf("accept", "refuse"),
  ),
  approver: optional(described("Person who accepted it against failed checks.", object({ name, reason: prose }))),
  checks: described(
    "Every check that was asked for, in order.",
    list(
      object({
        check: described(
          "What was looked at.",
          oneOf(
            "vouchers",
            "platforms",
            "user",
            "entrypoint",
            "ports",
            "volumes",
            "environment",
            "base",
            "size",
            "files",
          ),
        ),
        outcome: described(
          "`not-evaluated`: nothing to compare with, or not asked for; it never counts as passed.",
          oneOf("passed", "failed", "not-evaluated"),
        ),
        message: prose,
      }),
      { min: 1, max: 100 },
    ),
  ),
  images: described(
    "The images behind the tag, one for each platform, with what decides how each runs.",
    list(
      object({
        platform: name,
        digest,
        user: text({ max: 4096, empty: true }),
        entrypoint: list(word, { max: 1000 }),
        command: list(word, { max: 1000 }),
        ports: list(name, { max: 1000 }),
        volumes: list(path, { max: 1000 }),
        environment: described("As the configuration has it: `NAME=value`.", list(word, { max: 1000 })),
        base: described("What the image says that it stands on; its own word.", text({ max: 4096, empty: true })),
        layers: described("Digests of the unpacked layers, from the bottom.", list(digest, { max: 1000 })),
        bytes: described("Of all layers as they are stored.", bytes),
      }),
      { min: 1, max: 64 },
    ),
  ),
  changes: described("What differs from what was accepted before, in words.", list(prose, { max: 1000 })),
  vouchers: described(
    "Signatures and attestations that count by the rules of the factory.",
    list(object({ by: name, identity: name, predicate: optional(name) }), { max: 1000 }),
  ),
  scan: described("No scanner was asked; later floors fill it.", oneOf("none")),
});
export type TagEvaluation = Of<typeof tagEvaluation>;
