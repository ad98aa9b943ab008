import { sha256 } from "@touchmark/core";
import type { Layout, Policy, PolicySet } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { testLayout } from "../library/cases/rule-test.ts";
import { rulesAt } from "../library/collections.ts";
import { plainRule } from "../library/default-policies.ts";
import type { Change } from "./change.ts";
import { diffLayouts } from "./diff-layouts.ts";
import { diffPolicies } from "./diff-policies.ts";
import { diffSets } from "./diff-sets.ts";

const ada = { identity: "spiffe://factory.example/user/ada" };
const base: Policy = {
  touchmark: "policy/v1",
  name: "release",
  version: 1,
  expires: "2027-01-01T00:00:00Z",
  point: "publish",
  match: { names: ["registry.example/**"] },
  trust: { builder: { identities: [{ identity: "spiffe://factory.example/builder" }] } },
  attestations: { provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["builder"] } },
  exceptions: { by: ["builder"] },
  parameters: { roles: { type: "list", default: [] } },
  variables: [{ name: "steps", expression: "chain.steps" }],
  rules: [{ id: "one", title: "One", expression: "true", severity: "low" }],
};
const [rule] = base.rules ?? [];
const said = (changes: readonly Change[]) => changes.map(({ effect, where }) => `${effect} ${where}`);
const to = (parts: Partial<Policy>) => said(diffPolicies(base, { ...base, ...parts }));

test.each<[string, Partial<Policy>, string[]]>([
  ["nothing", {}, []],
  [
    "words for people",
    { description: "x", version: 2, rules: [{ ...rule, title: "Uno", message: "no" } as never] },
    [],
  ],
  [
    "a rule more",
    { rules: [...(base.rules ?? []), { id: "two", title: "Two", expression: "true" }] },
    ["tighter rules.two"],
  ],
  ["a rule less", { rules: [] }, ["looser rules.one"]],
  ["another expression", { rules: [{ ...rule, expression: "1 == 1" } as never] }, ["other rules.one"]],
  ["a rule that waits", { rules: [{ ...rule, effectiveOn: "2026-12-01T00:00:00Z" } as never] }, ["looser rules.one"]],
  ["another severity", { rules: [{ ...rule, severity: "high" } as never] }, ["other rules.one"]],
  [
    "trust widened",
    { trust: { builder: { identities: [...(base.trust?.["builder"]?.identities ?? []), ada] } } },
    ["looser trust.builder"],
  ],
  ["trust narrowed", { trust: { builder: { identities: [] } } }, ["tighter trust.builder"]],
  [
    "a party more",
    { trust: { ...base.trust, people: { keys: [sha256("k")], role: "boss" } } },
    ["looser trust.people"],
  ],
  ["a party less", { trust: {} }, ["tighter trust.builder"]],
  ["a role", { trust: { builder: { ...base.trust?.["builder"], role: "boss" } } }, ["other trust.builder"]],
  ["nothing demanded", { attestations: {} }, ["looser attestations.provenance"]],
  [
    "demands of an attestation",
    {
      attestations: {
        provenance: {
          predicateType: "https://slsa.dev/provenance/v1",
          by: ["people"],
          threshold: 2,
          maxAgeSeconds: 60,
          required: false,
        },
      },
    },
    [
      "looser attestations.provenance",
      "tighter attestations.provenance",
      "tighter attestations.provenance",
      "looser attestations.provenance",
      "tighter attestations.provenance",
    ],
  ],
  [
    "another attestation",
    { attestations: { ...base.attestations, sbom: { predicateType: "https://cyclonedx.org/bom", by: ["builder"] } } },
    ["tighter attestations.sbom"],
  ],
  [
    "one that is only read",
    {
      attestations: {
        ...base.attestations,
        sbom: { predicateType: "https://cyclonedx.org/bom", by: ["builder"], required: false },
      },
    },
    ["other attestations.sbom"],
  ],
  ["a mode", { mode: "warn" }, ["looser mode"]],
  ["a longer life", { expires: "2028-01-01T00:00:00Z" }, ["looser expires"]],
  ["another scope", { match: { names: ["other.example/**"] } }, ["tighter match.names", "looser match.names"]],
  ["every name", { match: {} }, ["tighter match.names"]],
  ["fewer environments", { match: { ...base.match, environments: ["production"] } }, ["looser match.environments"]],
  ["a layout", { layout: sha256("layout") }, ["tighter layout"]],
  [
    "who may except",
    { exceptions: { by: ["people"], threshold: 2 } },
    ["looser exceptions", "tighter exceptions", "tighter exceptions"],
  ],
  ["another default", { parameters: { roles: { type: "list", default: ["boss"] } } }, ["other parameters.roles"]],
  ["parameters", { parameters: { names: { type: "list" } } }, ["other parameters.names", "other parameters.roles"]],
  ["variables", { variables: [{ name: "steps", expression: "[]" }] }, ["other variables.steps"]],
  [
    "another variable",
    { variables: [{ name: "all", expression: "[]" }] },
    ["other variables.all", "other variables.steps"],
  ],
])("R3: %s", (_, parts, changes) => {
  expect(to(parts)).toEqual(changes);
});

test("R3: rules of a collection count like the policy's own", () => {
  const { rules: _rules, ...rest } = base;
  const rules = (rulesAt("hermetic", "publish") ?? []).map(plainRule);
  expect(diffPolicies({ ...rest, collections: ["hermetic"] }, { ...rest, rules })).toEqual([]);
  const more = said(
    diffPolicies({ ...rest, collections: ["hermetic"] }, { ...rest, collections: ["hermetic", "sbom"] }),
  );
  expect(more).toEqual(["tighter rules.sbom.complete"]);
});

test("R3: layouts: steps, who may do them, their order and their rules", () => {
  const before = testLayout.document;
  const [step] = before.steps;
  const changed = (parts: Partial<Layout>) => said(diffLayouts(before, { ...before, ...parts }));
  const other = { ...step, name: "test", after: ["build"] } as Layout["steps"][number];
  expect(changed({})).toEqual([]);
  expect(changed({ steps: [...before.steps, other] })).toEqual(["tighter steps.test"]);
  expect(said(diffLayouts({ ...before, steps: [...before.steps, other] }, before))).toEqual(["looser steps.test"]);
  const build = (parts: object) => changed({ steps: [{ ...step, ...parts } as never] });
  expect(build({ functionaries: ["builder", "ada"], threshold: 2 })).toEqual([
    "looser steps.build",
    "tighter steps.build",
  ]);
  expect(build({ functionaries: ["ada"] })).toEqual(["looser steps.build", "tighter steps.build"]);
  expect(build({ after: ["fetch"] })).toEqual(["tighter steps.build"]);
  expect(build({ products: [{ rule: "CREATE", pattern: "*" }] })).toEqual(["other steps.build"]);
  expect(changed({ functionaries: {} })).toEqual(["tighter functionaries.builder"]);
  expect(changed({ subjects: [{ step: "build", products: ["a"] }], expires: "2031-01-01T00:00:00Z" })).toEqual([
    "other expires",
    "other subjects",
  ]);
});

test("R3: sets: members, signers, and a version that no home takes", () => {
  const before: PolicySet = {
    touchmark: "policy-set/v1",
    name: "company",
    version: 1,
    expires: "2027-01-01T00:00:00Z",
    members: [{ kind: "policy", name: "release", digest: sha256("a") }],
  };
  const after = { ...before, version: 2 };
  expect(said(diffSets(before, after))).toEqual([]);
  expect(said(diffSets(before, before))).toEqual(["other version"]);
  const members = [{ kind: "policy" as const, name: "release", digest: sha256("b") }];
  expect(said(diffSets(before, { ...after, members, threshold: 2 }))).toEqual([
    "other members.policy release",
    "tighter threshold",
  ]);
  expect(said(diffSets(before, { ...after, members: [] }))).toEqual(["looser members.policy release"]);
  expect(said(diffSets({ ...before, members: [] }, after))).toEqual(["tighter members.policy release"]);
});
