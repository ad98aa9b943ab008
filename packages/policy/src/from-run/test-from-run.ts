import type { Json } from "@touchmark/core";
import type { Policy, PolicyTest } from "@touchmark/formats/policy";
import { chainFacts } from "../engine/chain-facts.ts";
import type { GoodRun } from "./layout-from-run.ts";

/** A test beside a derived policy: its run passes, and four ways of tampering with it do not. */
export function testFromRun(
  policy: Policy,
  { chains: [chain] }: GoodRun,
  options: { readonly file: string; readonly now: Date; readonly issuer: string },
): PolicyTest {
  const at = `${options.now.toISOString().slice(0, 19)}Z`;
  const facts = JSON.parse(JSON.stringify(chainFacts(chain))) as { readonly [name: string]: Json };
  const steps = facts["steps"] as readonly { readonly [name: string]: Json }[];
  const good = {
    now: at,
    subject: { name: chain.artifact.name, digest: chain.artifact.digest },
    chain: facts,
    ...(policy.layout === undefined ? {} : { layout: "satisfied" as const }),
    evidence: [
      {
        predicateType: "https://slsa.dev/provenance/v1",
        predicate: {},
        identity: chain.builder,
        issuer: options.issuer,
        time: at,
      },
    ],
  };
  const denied = (name: string, rule: string, chainOf: { readonly [name: string]: Json }) => ({
    ...good,
    name,
    chain: { ...facts, ...chainOf },
    expect: { decision: "deny" as const, rules: { [rule]: "failed" as const }, codes: ["POLICY_RULE_FAILED"] },
  });
  return {
    touchmark: "policy-test/v1",
    policy: options.file,
    cases: [
      { ...good, name: `run ${chain.run} passes`, expect: { decision: "allow" } },
      denied("another source is refused", "source.trusted", {
        source: {
          ...(facts["source"] as { readonly [name: string]: Json }),
          uri: `${chain.source.uri}-of-somebody-else`,
        },
      }),
      denied("another builder is refused", "builder.trusted", { builder: `${chain.builder}/other` }),
      denied("a step less is refused", "run.steps", { steps: steps.slice(1) }),
      denied("a step more is refused", "run.steps", { steps: [...steps, { ...steps[0], name: "inserted" }] }),
      {
        ...good,
        name: "no provenance is refused",
        evidence: [],
        expect: { decision: "deny", codes: ["POLICY_ATTESTATION_MISSING"] },
      },
    ],
  };
}
