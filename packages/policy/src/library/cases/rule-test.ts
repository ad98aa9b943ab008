import type { Layout, Policy, PolicyTest } from "@touchmark/formats/policy";
import { libraryRules } from "../collections.ts";
import { pinned, plainRule } from "../default-policies.ts";
import type { LibraryRule } from "../library-rule.ts";
import {
  BUILDER,
  type CaseFacts,
  goodEvidence,
  goodFacts,
  goodParameters,
  ISSUER,
  NOW,
  OTHER_BUILDER,
} from "./facts.ts";
import { type Change, failingFacts } from "./failing.ts";

/** A policy of one rule and those that it depends on, with the parties of the library's tests. */
export function policyOfRule(rule: LibraryRule): Policy {
  const rules = withDependencies(rule);
  const wanted = Object.assign({}, ...rules.map((each) => each.attestations ?? {})) as Record<string, string>;
  const parameters = new Map(rules.flatMap((each) => each.parameters ?? []).map((each) => [each.name, each]));
  return {
    touchmark: "policy/v1",
    name: `library.${rule.id}`,
    version: 1,
    expires: "2030-01-01T00:00:00Z",
    point: rule.points[0] ?? "publish",
    trust: {
      builder: {
        identities: [BUILDER, OTHER_BUILDER].map((identity) => ({ identity, issuer: ISSUER })),
      },
      ada: { identities: [{ identity: "spiffe://factory.example/user/ada", issuer: ISSUER }], role: "developer" },
      grace: {
        identities: [{ identity: "spiffe://factory.example/user/grace", issuer: ISSUER }],
        role: "release-manager",
      },
    },
    attestations: Object.fromEntries(
      Object.entries(wanted).map(([name, predicateType]) => [
        name,
        { predicateType, by: ["builder", "ada", "grace"], required: false },
      ]),
    ),
    parameters: Object.fromEntries([...parameters].map(([name, { type }]) => [name, { type }])),
    ...(rule.id === "layout.followed" ? { layout: testLayout.digest } : {}),
    rules: rules.map(plainRule),
  };
}

/** The layout of those tests whose policy has one. What came of it, the test states. */
export const testLayout = pinned<Layout>({
  touchmark: "layout/v1",
  name: "library.layout",
  version: 1,
  expires: "2030-01-01T00:00:00Z",
  functionaries: { builder: { identities: [{ identity: BUILDER, issuer: ISSUER }] } },
  steps: [{ name: "build", functionaries: ["builder"] }],
  subjects: [{ step: "build" }],
});

/** The test of one rule: facts that it lets pass, and facts that it refuses. */
export function testOfRule(rule: LibraryRule): PolicyTest {
  const policy = policyOfRule(rule);
  const facts: CaseFacts = {
    ...goodFacts(policy.point),
    now: NOW,
    ...(policy.layout === undefined ? {} : { layout: "satisfied" }),
    parameters: Object.fromEntries(Object.keys(policy.parameters ?? {}).map((name) => [name, goodParameters[name]])),
    evidence: Object.keys(policy.attestations ?? {}).flatMap((name) => goodEvidence[name] ?? []),
  };
  const failing = failingFacts[rule.id];
  return {
    touchmark: "policy-test/v1",
    policy: "policy.yaml",
    cases: [
      { ...facts, name: "passes", expect: { decision: "allow", rules: { [rule.id]: "passed" } } },
      ...(failing === undefined
        ? []
        : [
            {
              ...changed(facts, failing),
              name: "fails",
              expect: {
                decision: "deny" as const,
                rules: { [rule.id]: "failed" as const },
                codes: ["POLICY_RULE_FAILED"],
              },
            },
          ]),
    ],
  };
}

function changed({ chain, ...facts }: CaseFacts, change: Change): CaseFacts {
  return {
    ...facts,
    request: { ...facts.request, ...change.request },
    parameters: { ...facts.parameters, ...change.parameters },
    ...(change.evidence === undefined ? {} : { evidence: change.evidence }),
    ...(change.layout === undefined ? {} : { layout: change.layout }),
    ...(chain === undefined || change.chain === null ? {} : { chain: { ...chain, ...change.chain } }),
  };
}

/** A rule after all that it depends on. */
function withDependencies(rule: LibraryRule): readonly LibraryRule[] {
  const found = (rule.dependsOn ?? []).flatMap((id) => {
    const other = libraryRules.find((each) => each.id === id);
    return other === undefined ? [] : withDependencies(other);
  });
  return [...new Map([...found, rule].map((each) => [each.id, each])).values()];
}
