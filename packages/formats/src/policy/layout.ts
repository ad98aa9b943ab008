import { name, path, prose, time, uri } from "../predicates/common.ts";
import { described, list, type Of, object, oneOf, optional, record, text, whole } from "../predicates/shape.ts";
import { celName, expression, functionary, identifier, policyRule } from "./policy.ts";

/** An in-toto artifact rule (specification 1.0, section 4.3.3), as an object. */
export const artifactRule = object({
  rule: oneOf("MATCH", "ALLOW", "DISALLOW", "REQUIRE", "CREATE", "DELETE", "MODIFY"),
  pattern: path,
  in: optional(described("MATCH: prefix of the paths of this step.", path)),
  with: optional(described("MATCH: what of the other step.", oneOf("materials", "products"))),
  to: optional(described("MATCH: prefix of the paths of the other step.", path)),
  from: optional(described("MATCH: the other step; `source` is the source revision.", identifier)),
});
export type ArtifactRule = Of<typeof artifactRule>;

/** One required step. */
export const layoutStep = object({
  name: identifier,
  after: optional(
    described(
      "Steps that must have ended before it; their products are its materials.",
      list(identifier, { max: 100 }),
    ),
  ),
  functionaries: list(identifier, { min: 1, max: 100 }),
  threshold: optional(whole({ min: 1, max: 100 })),
  command: optional(
    described(
      "Expected command; another one is a warning, as in in-toto.",
      list(text({ max: 65_536, empty: true }), { max: 1000 }),
    ),
  ),
  materials: optional(list(artifactRule, { max: 1000 })),
  products: optional(list(artifactRule, { max: 1000 })),
  attestations: optional(
    described(
      "Further statements about the step's products that must be there (ITE-10), with rules on them.",
      list(
        object({
          predicateType: uri,
          functionaries: list(identifier, { min: 1, max: 100 }),
          threshold: optional(whole({ min: 1, max: 100 })),
          rules: optional(list(policyRule, { max: 100 })),
        }),
        { max: 100 },
      ),
    ),
  ),
});
export type LayoutStep = Of<typeof layoutStep>;

/** Something that the verifier itself runs over the final product, in a sealed worker. */
export const layoutInspection = object({
  name: identifier,
  command: list(text({ max: 65_536 }), { min: 1, max: 1000 }),
  materials: optional(list(artifactRule, { max: 1000 })),
  products: optional(list(artifactRule, { max: 1000 })),
  rules: optional(list(policyRule, { max: 100 })),
});
export type LayoutInspection = Of<typeof layoutInspection>;

/** layout/v1: required steps and who may do them. */
export const layout = object({
  touchmark: oneOf("layout/v1"),
  name: identifier,
  version: whole({ min: 1 }),
  expires: time,
  description: optional(prose),
  source: optional(described("Where the first materials come from.", object({ uri, revision: optional(name) }))),
  functionaries: record(functionary, celName),
  steps: list(layoutStep, { min: 1, max: 200 }),
  inspections: optional(list(layoutInspection, { max: 50 })),
  subjects: described(
    "Which product of which step the verified artifact must be.",
    list(
      object({
        step: identifier,
        products: optional(list(path, { max: 1000 })),
        rules: optional(list(policyRule, { max: 100 })),
        expression: optional(expression),
      }),
      { min: 1, max: 100 },
    ),
  ),
});
export type Layout = Of<typeof layout>;
