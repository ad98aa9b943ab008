import type { JsonSchema, Shape } from "../predicates/shape.ts";
import { exception, type PolicyException } from "./exception.ts";
import { type Layout, layout } from "./layout.ts";
import { type Policy, policy } from "./policy.ts";
import { type PolicySet, policySet } from "./policy-set.ts";
import { type PolicyTest, policyTest } from "./policy-test.ts";

/** The documents that people write, by the kind that stands before the slash of `touchmark: KIND/v1`. */
export interface PolicyDocuments {
  readonly policy: Policy;
  readonly layout: Layout;
  readonly exception: PolicyException;
  readonly "policy-set": PolicySet;
  readonly "policy-test": PolicyTest;
}
export type PolicyDocumentKind = keyof PolicyDocuments;

/** Shape and title of each kind. */
export const documentKinds: {
  readonly [Kind in PolicyDocumentKind]: { readonly title: string; readonly shape: Shape<PolicyDocuments[Kind]> };
} = {
  policy: { title: "Policy: what must hold at one point", shape: policy },
  layout: { title: "Layout: required steps, and who may do them", shape: layout },
  exception: { title: "Exception: rules that do not count for a while", shape: exception },
  "policy-set": { title: "Set of policies and layouts that are in force", shape: policySet },
  "policy-test": { title: "Test of a policy: stated evidence, and what must come of it", shape: policyTest },
};

/** Names of the kinds, in the order of the documentation. */
export const policyDocumentKinds = Object.keys(documentKinds) as readonly PolicyDocumentKind[];

/** The published JSON Schemas (draft 2020-12), made from the shapes that the reader uses. */
export function policySchemas(): { readonly [Kind in PolicyDocumentKind]: JsonSchema } {
  const schema = (kind: PolicyDocumentKind): JsonSchema => ({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `https://touchmark.dev/schemas/${kind}/v1.json`,
    title: documentKinds[kind].title,
    ...documentKinds[kind].shape.schema,
  });
  return {
    policy: schema("policy"),
    layout: schema("layout"),
    exception: schema("exception"),
    "policy-set": schema("policy-set"),
    "policy-test": schema("policy-test"),
  };
}
