import { type Json, sha256 } from "@touchmark/core";
import type { Layout, LayoutStep, PolicySet } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import type { Denial, DenialCode } from "../decision.ts";
import { pinned } from "../library/default-policies.ts";
import { decide } from "./decide.ts";
import { ask, ISSUER, now, party, policyOf, ruleOf, SCAN, stated } from "./decision.fixture.ts";
import { checkSet } from "./policy-set.ts";

const file = (name: string, content: string) => ({ name, digest: { sha256: sha256(content).slice(7) } });
/** A link of run-less steps: its subjects are the products. */
const link = (name: string, products: Json, materials: Json = []) =>
  stated(
    { name, materials, byproducts: { "return-value": 0 } },
    {
      by: name,
      predicateType: "https://in-toto.io/attestation/link/v0.3",
      subject: products as never,
    },
  );
const app = { name: "app", digest: { sha256: sha256("the artifact").slice(7) } };
const step = (name: string, parts: Partial<LayoutStep> = {}): LayoutStep => ({ name, functionaries: [name], ...parts });

function byLayout(parts: Partial<Layout>, evidence = [link("build", [app])]): readonly Denial[] {
  const layout = pinned<Layout>({
    touchmark: "layout/v1",
    name: "steps",
    version: 1,
    expires: "2027-01-01T00:00:00Z",
    functionaries: Object.fromEntries(["build", "pack"].map((name) => [name, party(name)])),
    steps: [step("build")],
    subjects: [{ step: "build" }],
    ...parts,
  });
  return denials(ask(policyOf({ layout: layout.digest }), { layouts: [layout], evidence }));
}

const denials = (decision: ReturnType<typeof ask>): readonly Denial[] => [
  ...decision.denials,
  ...decision.verdicts.flatMap((verdict) => verdict.denials),
];
const byRule = (expression: string, parts = {}) => denials(ask(policyOf({ rules: [ruleOf("r", expression)] }), parts));
const scan = (threshold: number) => ({
  trust: { a: party("scanner"), b: party("other") },
  attestations: { scan: { predicateType: SCAN, by: ["a", "b"], threshold } },
});
const member = policyOf({ rules: [ruleOf("r", "true")] });
const members = [{ kind: "policy", name: "test", digest: pinned(member).digest }] as const;
const setOf = (parts: Partial<PolicySet> = {}) =>
  pinned<PolicySet>({
    touchmark: "policy-set/v1",
    name: "s",
    version: 2,
    expires: "2027-01-01T00:00:00Z",
    members,
    ...parts,
  });
const inSet = (parts: Partial<PolicySet>, policies = [member]) => denials(ask(policies, { set: setOf(parts) }));
const replacing = (parts: Partial<PolicySet>) =>
  checkSet(setOf(), setOf(parts), [], { now, issuer: ISSUER, owners: { trust: {} } });
const inspected = { inspections: [{ name: "look", command: ["look"] }] };

/** A question for every code that a decision, or the check of a set, can deny with. */
const questions: Readonly<Record<DenialCode, () => readonly Denial[]>> = {
  POLICY_NONE: () => denials(ask([])),
  POLICY_EMPTY: () => denials(ask(policyOf({}))),
  POLICY_EXPIRED: () => denials(ask(policyOf({ expires: "2020-01-01T00:00:00Z" }))),
  POLICY_SET_EXPIRED: () => inSet({ expires: "2020-01-01T00:00:00Z" }),
  POLICY_SET_INCOMPLETE: () => inSet({}, []),
  POLICY_SET_RENAMED: () => replacing({ name: "t" }),
  POLICY_SET_ROLLBACK: () => replacing({ version: 1 }),
  POLICY_SET_THRESHOLD: () => replacing({ version: 3 }),
  POLICY_NOT_IN_SET: () => inSet({}, [member, policyOf({ name: "b", rules: [ruleOf("r", "true")] })]),
  POLICY_ENGINE_TOO_OLD: () => inSet({ engine: "99.0.0" }),
  POLICY_CLOCK_WRONG: () => denials(ask(member, { now: new Date(Number.NaN) })),
  POLICY_COLLECTION_UNKNOWN: () => denials(ask(policyOf({ collections: ["nothing"] }))),
  POLICY_RULE_AMBIGUOUS: () => denials(ask(policyOf({ rules: [ruleOf("r", "true"), ruleOf("r", "1 == 1")] }))),
  POLICY_PARAMETER_MISSING: () => denials(ask({ ...member, parameters: { p: { type: "int" } } })),
  POLICY_PARAMETER_WRONG: () => denials(ask({ ...member, parameters: { p: { type: "int", default: "x" } } })),
  POLICY_EVIDENCE_UNVERIFIED: () => {
    const common = { subject: { name: "app" }, request: {}, layouts: [], parameters: {}, now, issuer: ISSUER } as const;
    return denials(decide({ ...common, point: "deploy", policies: [pinned(member)], evidence: [stated({}) as never] }));
  },
  POLICY_ATTESTATION_MISSING: () => denials(ask(policyOf(scan(1)))),
  POLICY_THRESHOLD: () => denials(ask(policyOf(scan(2)), { evidence: [stated({})] })),
  POLICY_LAYOUT_MISSING: () => denials(ask(policyOf({ layout: sha256("nowhere") }))),
  POLICY_LAYOUT_EXPIRED: () => byLayout({ expires: "2020-01-01T00:00:00Z" }),
  POLICY_LAYOUT_INVALID: () => byLayout({ steps: [step("build", { after: ["nothing"] })] }),
  POLICY_STEP_NONE: () => byLayout({ steps: [] }),
  POLICY_STEP_EVIDENCE_MISSING: () => byLayout({}, []),
  POLICY_STEP_FUNCTIONARY: () => byLayout({ steps: [step("build", { functionaries: ["pack"] })] }),
  POLICY_EDGE_EMPTY: () =>
    byLayout({ steps: [step("build"), step("pack", { after: ["build"] })] }, [
      link("build", [app]),
      link("pack", [app], [file("other", "other")] as never),
    ]),
  POLICY_ARTIFACT_RULE: () => byLayout({ steps: [step("build", { products: [{ rule: "DISALLOW", pattern: "*" }] })] }),
  POLICY_SUBJECT_MISMATCH: () => byLayout({}, [link("build", [file("app", "another")] as never)]),
  POLICY_INSPECTION_MISSING: () => byLayout(inspected),
  POLICY_INSPECTION_FAILED: () => {
    const layout = pinned<Layout>({
      ...{ touchmark: "layout/v1", name: "steps", version: 1, expires: "2027-01-01T00:00:00Z", ...inspected },
      ...{ functionaries: { build: party("build") }, steps: [step("build")], subjects: [{ step: "build" }] },
    });
    const inspections = new Map([["look", { exitCode: 1, materials: new Map(), products: new Map() }]]);
    const evidence = [link("build", [app])];
    return denials(ask(policyOf({ layout: layout.digest }), { layouts: [layout], evidence, inspections }));
  },
  POLICY_RULE_FAILED: () => byRule("false"),
  POLICY_RULE_SKIPPED: () => denials(ask(policyOf({ rules: [ruleOf("r", "true", { dependsOn: ["s"] })] }))),
  POLICY_EVALUATION_ERROR: () => byRule("request.x"),
  POLICY_MODULE_MISSING: () => {
    const rule = { id: "r", title: "R", rego: { module: sha256("nowhere"), entrypoint: "a/allow" } };
    return denials(ask(policyOf({ rules: [rule] })));
  },
  POLICY_TIMEOUT: () => byRule("true", { limits: { isOver: () => true } }),
  POLICY_COST: () => byRule("true", { limits: { cost: 0 } }),
};

test("D25: every code is reached, each by a question of its own, and says what is wrong", () => {
  for (const [code, question] of Object.entries(questions)) {
    const found = question();
    expect(
      found.map((denial) => denial.code),
      code,
    ).toContain(code);
    expect(found.find((denial) => denial.code === code)?.message.length, code).toBeGreaterThan(5);
  }
});
