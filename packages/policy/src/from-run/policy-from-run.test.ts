import { canonicalJson, sha256 } from "@touchmark/core";
import { layout as layoutShape, policy as policyShape, policyTest } from "@touchmark/formats/policy";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";
import { type VerifiedChain, verifyRun } from "@touchmark/verify/chain";
import { expect, test } from "vitest";
import type { Decision, DecisionInput } from "../decision.ts";
import { decide } from "../engine/decide.ts";
import { codesOf } from "../engine/decision.fixture.ts";
import { pinned } from "../library/default-policies.ts";
import { runPolicyTest } from "../test-runner/run-policy-test.ts";
import { libraryErrors } from "./errors.ts";
import type { GoodRun } from "./layout-from-run.ts";
import { policyFromRun } from "./policy-from-run.ts";
import { testFromRun } from "./test-from-run.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));

function evidenceOf(minted: ReturnType<typeof mintRun>): { chain: VerifiedChain; statements: VerifiedStatement[] } {
  const expected = { builder: minted.builder, source: minted.source, artifact: minted.artifact, now: world.at };
  const unbound = { artifact: "unbound", identityPattern: ".+", issuer: world.issuer, now: world.at } as const;
  return {
    chain: verifyRun(minted.bundles(), trustRoot, expected),
    statements: minted.bundles().map((bytes) => verifyBundle(bytes, trustRoot, unbound)),
  };
}

const minted = mintRun(world);
const { chain, statements } = evidenceOf(minted);
const good: GoodRun = { chains: [chain], statements };
const options = {
  now: world.at,
  issuer: world.issuer,
  expires: new Date(world.at.getTime() + 86_400_000).toISOString().replace(/\.\d+/, ""),
  digestOf: (document: unknown) => sha256(canonicalJson(document)),
};
const derived = policyFromRun(good, options);
const enforced = derived.policies.filter(({ mode }) => mode !== "warn");

function decided(point: "publish" | "deploy", parts: Partial<DecisionInput> = {}): Decision {
  return decide({
    point,
    subject: { name: "app", digest: minted.artifact },
    request: {},
    policies: enforced.map(pinned),
    layouts: derived.layout === undefined ? [] : [derived.layout],
    evidence: statements,
    chains: [chain],
    parameters: {},
    now: world.at,
    issuer: world.issuer,
    ...parts,
  });
}

test("B7: a run suggests a layout of its steps and one policy for each point, all of them readable documents", () => {
  expect(enforced.map(({ point }) => point)).toEqual(["request", "dependency", "step", "publish", "deploy"]);
  for (const document of derived.policies) policyShape.check(document, document.name);
  const layout = derived.layout?.document;
  layoutShape.check(layout, "layout");
  expect(layout?.steps.map(({ name, after }) => [name, after])).toEqual([
    ["fetch", undefined],
    ["build", ["fetch"]],
  ]);
  expect(Object.keys(layout?.functionaries ?? {})).toEqual(["step_fetch", "step_build"]);
  expect(layout?.subjects).toEqual([{ step: "build", products: [chain.artifact.path] }]);
  expect(derived.notes).toEqual([]);
});

test("B7: the run itself passes, and so does the same pipeline once more", () => {
  for (const point of ["publish", "deploy"] as const) {
    expect([point, codesOf(decided(point)), decided(point).result]).toEqual([point, [], "allow"]);
  }
  const again = evidenceOf(mintRun(world, { run: "run-2" }));
  expect(decided("deploy", { evidence: again.statements, chains: [again.chain] }).result).toBe("allow");
});

test("B7: what the run does not pass is not demanded; of a wanted level it warns", () => {
  const ids = (name: string, from = derived) =>
    from.policies.find((policy) => policy.name === name)?.rules?.map(({ id }) => id) ?? [];
  expect(chain.hermetic).toBe(false);
  expect(ids(`${chain.project}-publish`)).not.toContain("build.hermetic");
  expect(ids(`${chain.project}-publish`)).toEqual(
    expect.arrayContaining(["chain.whole", "source.trusted", "run.steps"]),
  );
  expect(derived.policies.some(({ mode }) => mode === "warn")).toBe(false);
  const moderate = policyFromRun(good, { ...options, level: "moderate" });
  expect(ids(`${chain.project}-publish-next`, moderate)).toEqual(
    expect.arrayContaining(["build.hermetic", "chain.whole"]),
  );
  const [first] = policyFromRun(good, { ...options, level: "high" }).policies.filter(({ mode }) => mode === "warn");
  expect([first?.mode, first?.layout]).toEqual(["warn", undefined]);
});

test("B7: evidence taken away is refused, whichever it is", () => {
  const without = (type: string) => ({
    evidence: statements.filter(({ statement }) => !statement.predicateType.includes(type)),
  });
  expect(codesOf(decided("publish", without("/link/")))).toContain("POLICY_STEP_EVIDENCE_MISSING");
  expect(codesOf(decided("publish", without("slsa.dev/provenance")))).toContain("POLICY_ATTESTATION_MISSING");
  expect(codesOf(decided("publish", { chains: [] }))).toContain("POLICY_RULE_FAILED");
  expect(codesOf(decided("publish", { layouts: [] }))).toContain("POLICY_LAYOUT_MISSING");
  expect(decided("publish", { subject: { name: "app", digest: sha256("other bytes") } }).result).toBe("deny");
  expect(decided("publish", { evidence: [], chains: [] }).result).toBe("deny");
});

test("B7: a test stands beside: the run passes, and what is tampered with is refused", () => {
  for (const policy of enforced.filter(({ point }) => point === "publish" || point === "deploy")) {
    const stated = testFromRun(policy, good, { file: `${policy.point}.yaml`, now: world.at, issuer: world.issuer });
    policyTest.check(stated, policy.name);
    const layouts = derived.layout === undefined ? [] : [derived.layout];
    const results = runPolicyTest(stated, { policy: pinned(policy), layouts, now: world.at });
    expect(results.flatMap(({ differences }) => differences)).toEqual([]);
    expect(results.map(({ decision }) => decision.result)).toEqual(["allow", "deny", "deny", "deny", "deny", "deny"]);
  }
});

test("B7: a run that its own suggestion would refuse is no example", () => {
  const past = { ...options, expires: "2000-01-01T00:00:00Z" };
  expect(() => policyFromRun(good, past)).toThrowError(expect.objectContaining({ code: "LIBRARY_RUN_UNFIT" }));
  expect(Object.keys(libraryErrors.rows)).toEqual(["LIBRARY_RUN_UNFIT"]);
});

test("B7: without the trigger the point request has the library's rules, and a note says so", () => {
  const left = statements.filter(({ statement }) => !statement.predicateType.includes("/trigger/"));
  const { policies, notes } = policyFromRun({ chains: [chain], statements: left }, options);
  expect(policies[0]?.parameters).toBeUndefined();
  expect(notes.join()).toContain("request");
});
