import { FactoryError } from "@touchmark/core";
import { expect, test } from "vitest";
import { policyDocumentExamples } from "./examples.ts";
import {
  type ExpressionCompiler,
  lintPolicyDocument,
  type PolicyDocuments,
  policyDocumentText,
  policyLintRules,
  readPolicyDocument,
} from "./index.ts";

const now = new Date("2026-11-21T00:00:00Z");
const collections: Readonly<Record<string, readonly string[]>> = { hermetic: ["sealed"] };

/** As much of a compiler as the lint asks for. */
const compile: ExpressionCompiler = (source, variables) => {
  const read = [...source.replaceAll(/"[^"]*"/g, "").matchAll(/(?<![\w.])[a-z]\w*/gi)].map(([name]) => name);
  const strange = read.find((name) => !variables.includes(name) && !["true", "false"].includes(name));
  if (strange !== undefined) {
    throw new FactoryError("CEL_UNKNOWN_VARIABLE", { nature: "invalid", meaning: "" }, `no variable ${strange}`);
  }
  const used = read.filter((name) => variables.includes(name));
  return { variables: used, constant: () => (source === "true" ? true : source === "false" ? false : undefined) };
};

function lint<Kind extends keyof PolicyDocuments>(kind: Kind, change: Partial<PolicyDocuments[Kind]>, seen = compile) {
  const text = policyDocumentText({ ...policyDocumentExamples[kind], ...change });
  const reading = readPolicyDocument(Buffer.from(text), { name: "a" });
  const collection = (name: string) => collections[name];
  return lintPolicyDocument(reading, { now, compile: seen, collection }).map(({ rule, path }) => `${rule} ${path}`);
}

const plain: Partial<PolicyDocuments["policy"]> = {
  exceptions: { by: ["factory"] },
  match: {},
  trust: { factory: { identities: [{ identity: "spiffe://factory.example/builder" }] } },
  attestations: { provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["factory"] } },
  parameters: {},
  variables: [],
  rules: [{ id: "a", title: "a", expression: "chain.hermetic", solution: "Do." }],
};
const rule = (change: object) => ({ id: "a", title: "a", expression: "chain.hermetic", solution: "Do.", ...change });
const identity = (name: string, more: object = {}) => ({
  trust: { factory: { identities: [{ identity: name, ...more }] } },
});

const policies: readonly (readonly [string, Partial<PolicyDocuments["policy"]>])[] = [
  ["expired expires", { expires: "2026-11-21T00:00:00Z" }],
  ["expires-soon expires", { expires: "2026-12-01T00:00:00Z" }],
  ["never-expires expires", { expires: "2036-12-01T00:00:00Z" }],
  ["not-enforced mode", { mode: "audit" }],
  ["never-matches match.namespaces", { point: "publish", match: { namespaces: ["a"] } }],
  ["never-matches match.environments", { point: "dependency", match: { environments: ["a"] } }],
  ["wide-identity trust.factory.identities.0.identity", identity("spiffe://factory.example/*", { pattern: true })],
  ["wide-identity trust.factory.identities.0.identity", identity("spiffe://*/builder", { pattern: true })],
  ["wide-identity trust.factory.identities.0.identity", identity("spiffe://factory.example/a/*/*", { pattern: true })],
  [
    "wide-identity trust.factory.identities.0.identity",
    identity("*@*", { pattern: true, issuer: "https://i.example" }),
  ],
  ["star-without-pattern trust.factory.identities.0.identity", identity("spiffe://factory.example/user/*")],
  ["identity-without-issuer trust.factory.identities.0.identity", identity("ci@factory.example")],
  [
    "unused-functionary trust.other",
    { trust: { ...plain.trust, other: { identities: [{ identity: "spiffe://a/b" }] } } },
  ],
  [
    "expression rules.0.messageExpression",
    {
      rules: [
        {
          ...{ id: "a", title: "a", solution: "Do.", messageExpression: "chian" },
          rego: { module: `sha256:${"0".repeat(64)}`, entrypoint: "a/allow" },
        },
      ],
    },
  ],
  ["expression rules.0.expression", { rules: [rule({ expression: "chian.hermetic" })] }],
  ["expression rules.0.messageExpression", { rules: [rule({ messageExpression: "product.names" })] }],
  ["expression match.expression", { match: { expression: "chain.hermetic" } }],
  ["always-true rules.0.expression", { rules: [rule({ expression: "true" })] }],
  ["never-true rules.0.expression", { rules: [rule({ expression: "false" })] }],
  ["unknown-name rules.0.expression", { rules: [rule({ expression: "params.most" })] }],
  ["unknown-name rules.0.expression", { rules: [rule({ expression: "attestations.sacn" })] }],
  [
    "variable-order variables.0.expression",
    {
      variables: [
        { name: "a", expression: "vars.b" },
        { name: "b", expression: "vars.a" },
      ],
    },
  ],
  ["unused variables.0.name", { variables: [{ name: "a", expression: "chain" }] }],
  ["unused parameters.most", { parameters: { most: { type: "int" } } }],
  ["unused attestations.scan", { attestations: { scan: { predicateType: "a:b", by: ["factory"], required: false } } }],
  ["unknown-collection collections.0", { collections: ["hermetik"] }],
  ["unknown-dependency rules.0.dependsOn.0", { collections: ["hermetic"], rules: [rule({ dependsOn: ["seeled"] })] }],
  ["never-effective rules.0.effectiveOn", { rules: [rule({ effectiveOn: "2027-12-01T00:00:00Z" })] }],
  ["no-solution rules.0.id", { rules: [{ id: "a", title: "a", expression: "chain.hermetic" }] }],
];
test.each(policies)("POL8: %s is found in a policy, and nothing else", (finding, change) => {
  expect(lint("policy", { ...plain, ...change })).toEqual([finding]);
});

test("POL8: a policy that says nothing is found", () => {
  const nothing = { ...policyDocumentExamples.policy, ...plain };
  const { layout: _, rules: __, attestations: ___, trust: ____, exceptions: _____, ...rest } = nothing;
  const reading = readPolicyDocument(Buffer.from(policyDocumentText(rest)), { name: "a" });
  expect(lintPolicyDocument(reading, { now }).map(({ rule: id }) => id)).toEqual(["empty-policy"]);
});

test("POL8: rules of collections may be depended upon, texts name nothing, and a good policy has no findings", () => {
  expect(lint("policy", plain)).toEqual([]);
  expect(lint("policy", { ...plain, collections: ["hermetic"], rules: [rule({ dependsOn: ["sealed"] })] })).toEqual([]);
  expect(lint("policy", { ...plain, rules: [rule({ expression: 'chain == "params.most"' })] })).toEqual([]);
});

const [build, pack] = policyDocumentExamples.layout.steps;
const closed = { ...(build ?? { name: "build", functionaries: [] }) };
const first = { ...closed, products: [{ rule: "CREATE", pattern: "dist/*" } as const] };
const last = { ...(pack ?? closed) };
const layouts: readonly (readonly [string, Partial<PolicyDocuments["layout"]>])[] = [
  ["open-artifacts steps.0.products.0", { steps: [first, last] }],
  [
    "unreachable-rule steps.1.products.1",
    {
      steps: [
        closed,
        {
          ...last,
          products: [
            { rule: "ALLOW", pattern: "*" },
            { rule: "REQUIRE", pattern: "a" },
          ],
        },
      ],
    },
  ],
  [
    "unlinked-step steps.1.after.0",
    {
      steps: [closed, { ...last, materials: [{ rule: "ALLOW", pattern: "*" }] }],
      subjects: [{ step: "build" }, { step: "pack" }],
    },
  ],
  ["unused-step steps.2.name", { steps: [closed, last, { name: "other", functionaries: ["builder"] }] }],
  ["unused-functionary functionaries.packer", { steps: [closed, { ...last, functionaries: ["builder"] }] }],
  [
    "expression subjects.0.expression",
    { steps: [closed, last], subjects: [{ step: "pack", expression: "inspection.exitCode" }] },
  ],
  ["always-true subjects.0.expression", { steps: [closed, last], subjects: [{ step: "pack", expression: "true" }] }],
];
test.each(layouts)("POL8: %s is found in a layout, and nothing else", (finding, change) => {
  expect(lint("layout", change)).toEqual([finding]);
});

test("POL8: the example of a layout has no findings", () => {
  expect(lint("layout", {})).toEqual([]);
});

test("POL8: rules of a layout may read what their place gives them", () => {
  const attestations = [
    { predicateType: "a:b", functionaries: ["builder"], rules: [rule({ expression: "predicate.ok" })] },
  ];
  const inspections = [{ name: "look", command: ["a"], rules: [rule({ expression: "inspection.exitCode" })] }];
  const subjects = [{ step: "pack", rules: [rule({ expression: "product.names" })] }];
  expect(lint("layout", { steps: [closed, { ...last, attestations }], inspections, subjects })).toEqual([]);
});

test("POL8: exceptions that are changes of the policy, and sets that one person can replace, are found", () => {
  expect(lint("exception", {})).toEqual([]);
  expect(lint("exception", { expires: "2027-04-01T00:00:00Z" })).toEqual(["long-exception expires"]);
  expect(lint("exception", { subject: { purl: "pkg:npm/%40a/b" } })).toEqual(["wide-exception subject.purl"]);
  expect(lint("exception", { subject: { purl: "pkg:npm/%40a/b@1.0" } })).toEqual([]);
  expect(lint("policy-set", {})).toEqual([]);
  expect(lint("policy-set", { threshold: 1 })).toEqual(["threshold-one threshold"]);
  expect(lint("policy-set", { trust: {}, threshold: undefined as never })).toEqual(["set-without-trust name"]);
  expect(lint("policy-test", {})).toEqual([]);
});

test("POL8: every rule of the lint is shown by a test, with its reason and remedy", () => {
  const shown = [...policies, ...layouts].map(([finding]) => finding.split(" ")[0]);
  const others = ["empty-policy", "long-exception", "wide-exception", "threshold-one", "set-without-trust"];
  expect([...new Set([...shown, ...others])].sort()).toEqual(Object.keys(policyLintRules).sort());
  for (const { why, fix } of Object.values(policyLintRules)) expect([why.at(-1), fix.at(-1)]).toEqual([".", "."]);
});
