import { type Digest, sha256 } from "@touchmark/core";
import { mintBundle, mintRun, mintWorld, runFacts, statementOf, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { expect, test } from "vitest";
import type { DecisionInput } from "../decision.ts";
import { decisionJson } from "../explain/decision-json.ts";
import { pinned } from "../library/default-policies.ts";
import { chainFacts } from "./chain-facts.ts";
import { decide } from "./decide.ts";
import { codesOf, outcomesOf, policyOf, ruleOf } from "./decision.fixture.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const run = mintRun(world);
const expected = { builder: run.builder, source: run.source, artifact: run.artifact, now: world.at };
const chain = verifyRun(run.bundles(), trustRoot, expected);
const unbound = { artifact: "unbound", identityPattern: ".+", issuer: world.issuer, now: world.at } as const;
const statements = run.bundles().map((bytes) => verifyBundle(bytes, trustRoot, unbound));

const input = (parts: Partial<DecisionInput> = {}): DecisionInput => ({
  point: "deploy",
  subject: { name: "app", digest: run.artifact },
  request: {},
  policies: [
    pinned(policyOf({ rules: [ruleOf("chain", "chain != null && chain.artifact.digest == subject.digest")] })),
  ],
  layouts: [],
  evidence: statements,
  chains: [chain],
  parameters: {},
  now: world.at,
  issuer: world.issuer,
  ...parts,
});
const rules = (...expressions: string[]) => ({
  policies: [pinned(policyOf({ rules: expressions.map((expression, i) => ruleOf(`r${i}`, expression)) }))],
});

test("D7: verified statements and chains are decided over, and the decision is not stated", () => {
  const decision = decide(input());
  expect(decision).toMatchObject({ result: "allow", denials: [] });
  expect(decision.stated).toBeUndefined();
  expect(decision.inputs.evidence).toHaveLength(statements.length);
  expect(decision.inputs.trustRoots).toEqual([statements[0]?.trustRoot]);
  expect(decision.inputs.chains).toHaveLength(1);
});

test("D7: copies, and what nobody verified, deny whatever else is there", () => {
  const copy = { ...(statements[0] as VerifiedStatement) };
  const unverified = { result: "deny", denials: [{ code: "POLICY_EVIDENCE_UNVERIFIED" }] };
  expect(decide(input({ evidence: [...statements, copy] }))).toMatchObject(unverified);
  expect(decide(input({ evidence: [null as never] }))).toMatchObject(unverified);
  expect(decide(input({ chains: [{ ...chain }] }))).toMatchObject(unverified);
  expect(decide(input({ chains: [chain, JSON.parse("{}") as never] }))).toMatchObject(unverified);
  const alone = decide(input({ chains: [{ ...chain }] }));
  expect(outcomesOf(alone)).toEqual({ chain: "failed" });
});

test("D17: facts of the chain are what rules read; what it does not know is absent", () => {
  const decision = decide(
    input(
      rules(
        "chain.run != '' && chain.project == 'demo' && chain.pipeline == 'default'",
        `chain.source.commit == '${runFacts.commit}' && chain.source.uri == '${run.source}'`,
        "chain.steps.map(s, s.name) == ['fetch', 'build'] && chain.steps[0].network == 'open'",
        "!chain.hermetic && chain.notHermetic.exists(why, why.contains('fetch'))",
        "!has(chain.steps[0].image) && !chain.steps[0].cached && chain.steps[0].unaccounted == 0",
        "chain.statements.size() > 5 && chain.images.size() == 0 && chain.insecureOptions == [] && !chain.workingTree",
      ),
    ),
  );
  expect(codesOf(decision)).toEqual([]);
  expect(chainFacts(chain)).toMatchObject({ run: chain.run, artifact: { digest: run.artifact } });
});

test("D17: a chain that leads to something else is not the subject's", () => {
  const subject = { name: "app", digest: sha256("something else") };
  expect(outcomesOf(decide(input({ subject })))).toEqual({ chain: "failed" });
  expect(outcomesOf(decide(input({ subject: { name: "app" } })))).toEqual({ chain: "failed" });
});

test("D17: any chain that satisfies does, in whatever order they come", () => {
  const later = mintRun(world, { run: "run-2" });
  const other = verifyRun(later.bundles(), trustRoot, { ...expected, artifact: later.artifact });
  expect(later.artifact).toBe(run.artifact);
  for (const wanted of [chain.run, other.run]) {
    for (const chains of [
      [chain, other],
      [other, chain],
    ]) {
      const decision = decide(input({ ...rules(`chain.run == '${wanted}'`), chains }));
      expect(decision.result, wanted).toBe("allow");
      expect(decisionJson(decision)).toBe(
        decisionJson(decide(input({ ...rules(`chain.run == '${wanted}'`), chains: chains.toReversed() }))),
      );
    }
  }
  expect(decide(input({ ...rules("chain.run == 'run-3'"), chains: [chain, other] })).result).toBe("deny");
});

test("D8: statements of a verified run count as what they are about", () => {
  const provenance = { predicateType: "https://slsa.dev/provenance/v1", by: ["builder"] };
  const link = {
    predicateType: "https://in-toto.io/attestation/link/v0.3",
    by: ["builder", "steps"],
    about: "run",
  } as const;
  const trust = {
    builder: { identities: [{ identity: run.builder }] },
    steps: { identities: [{ identity: `spiffe://${world.trustDomain}/project/*/pipeline/*/step/*`, pattern: true }] },
  };
  const policies = [pinned(policyOf({ trust, attestations: { provenance, link } }))];
  expect(codesOf(decide(input({ policies })))).toEqual([]);
  expect(codesOf(decide(input({ policies, chains: [] })))).toEqual(["POLICY_ATTESTATION_MISSING"]);
  expect(codesOf(decide(input({ policies, issuer: "https://other.test" })))).toEqual([
    "POLICY_ATTESTATION_MISSING",
    "POLICY_ATTESTATION_MISSING",
  ]);
});

test("D1: the order of evidence and how often it is given do not matter, and a decision is its own replay", () => {
  const bytes = decisionJson(decide(input()));
  expect(decisionJson(decide(input({ evidence: statements.toReversed() })))).toBe(bytes);
  expect(decisionJson(decide(input({ evidence: [...statements, ...statements], chains: [chain, chain] })))).toBe(bytes);
  const { at } = JSON.parse(bytes) as { readonly at: string };
  expect(decisionJson(decide(input({ now: new Date(at) })))).toBe(bytes);
});

test("D8: a stranger's statement beside those of the run changes nothing but the list", () => {
  const extra = mintBundle(world, {
    statement: statementOf(Buffer.from("x")),
    leaf: { uris: [`spiffe://${world.trustDomain}/attest`] },
  });
  const verified = verifyBundle(extra.bytes, trustRoot, unbound);
  const decision = decide(input({ evidence: [verified, ...statements] }));
  expect(decision.result).toBe("allow");
  expect(decision.inputs.evidence).toContain(verified.bundle satisfies Digest);
});
