import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { readPredicate } from "@touchmark/formats/predicates";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signAttestation } from "../attest.ts";
import { missingForRuns, openScene, type Scene } from "../fixture.ts";
import { approveArtifact, enrolUser, provePerson } from "../people/index.ts";
import { evidenceHere, policiesInForce } from "../policy/index.ts";
import { environmentsOf } from "./environments.ts";
import { deployGate, renewPublication } from "./index.ts";
import { oneRuleEach, policyOf, rule } from "./policies.fixture.ts";

const missing = missingForRuns();
let scene: Scene;
let digest: Digest;

const pipeline = `
  steps:
    make: { run: 'echo app > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;
const refusal = (code: string) => expect.objectContaining({ code });
const order = (text: string): void => {
  mkdirSync(join(scene.home, "policy"), { recursive: true });
  writeFileSync(join(scene.home, "policy", "environments.yaml"), text);
};

/** Deploys by the policies in force, or others. */
async function deploy(environment: string, more: Partial<Parameters<typeof deployGate>[1]> = {}) {
  const policies = more.policies ?? (await policiesInForce(scene.factory));
  const artifact = { name: "app.txt", digest };
  return deployGate(scene.factory, { artifact, environment, policies, ...more });
}
const by = (files: Parameters<typeof policiesInForce>[1]) => policiesInForce(scene.factory, files);

/** A person with a role, and the person's key. */
async function person(name: string, role: string) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  await enrolUser(scene.factory, { name, roles: [role], spki });
  return privateKey;
}

describe.skipIf(missing !== null)(`deployments${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    const done = await scene.run(scene.project("app", pipeline));
    digest = done.artifacts[0]?.digest ?? "sha256:";
    order("environments: [staging, production]\n");
  });
  afterAll(() => scene.close());

  test("GT6: environments are gone through in order, each signed by a credential of its own", async () => {
    const early = deploy("production");
    await expect(early).rejects.toThrow(refusal("GATE_ENVIRONMENT_ORDER"));
    const staging = await deploy("staging");
    const production = await deploy("production");
    const { trustDomain, issuer } = scene.factory.names();
    const trustRoot = readTrustRoot(await scene.factory.trustRoot());
    const identity = `spiffe://${trustDomain}/environment/production`;
    const verified = verifyBundle(production.deployment.bytes, trustRoot, { artifact: digest, identity, issuer });
    if (verified.kind !== "statement" || verified.signer.kind !== "certificate") throw new Error("no statement");
    expect(readPredicate("deployment", verified.statement.predicate)).toMatchObject({
      environment: "production",
      decision: production.decision.bundle,
      previous: { environment: "staging", statement: staging.deployment.bundle },
    });
    const { notBefore, notAfter } = verified.signer;
    expect(notAfter.getTime() - notBefore.getTime()).toBe(60_000);
  });

  test("GT6: a deployment that another signed does not count as the one before", async () => {
    order("environments: [early, late]\n");
    const { bytes } = (await deploy("early")).deployment;
    const own = verifyBundle(bytes, readTrustRoot(await scene.factory.trustRoot()), {
      artifact: digest,
      identityPattern: "spiffe:.+",
      issuer: scene.factory.names().issuer,
    });
    if (own.kind !== "statement") throw new Error("no statement");
    order("environments: [first, last]\n");
    const predicate = { ...(own.statement.predicate as object), environment: "first" };
    await signAttestation(scene.factory, { ...own.statement, predicate });
    await expect(deploy("last")).rejects.toThrow(refusal("GATE_ENVIRONMENT_ORDER"));
  });

  test("GT6: what policy refuses is not deployed; the refusal is signed, and grants nothing", async () => {
    order("environments: [staging, production]\n");
    const policies = await by({ files: oneRuleEach({ deploy: "request.environment == 'elsewhere'" }) });
    const before = (await evidenceHere(scene.factory, digest)).statements.length;
    await expect(deploy("staging", { policies })).rejects.toThrow(refusal("GATE_REFUSED"));
    const after = (await evidenceHere(scene.factory, digest)).statements;
    expect(after).toHaveLength(before + 1);
    const summary = readPredicate("verification-summary", after.at(-1)?.statement.predicate);
    expect(summary).toMatchObject({ verificationResult: "FAILED", touchmark_decision: { point: "deploy" } });
  });

  test("GT6: a release can demand approvals by distinct people in distinct roles", async () => {
    const { trustDomain } = scene.factory.names();
    const of = (name: string, role: string) => ({
      identities: [{ identity: `spiffe://${trustDomain}/user/${name}` }],
      role,
    });
    const approvals = {
      predicateType: "https://touchmark.dev/predicates/approval/v1",
      by: ["ada", "grace"],
      threshold: 2,
    };
    const policy = policyOf("deploy", {
      trust: { ada: of("ada", "developer"), grace: of("grace", "auditor") },
      attestations: { approval: approvals },
      rules: [
        rule(
          "['developer', 'auditor'].all(role, attestations.approval.exists(each, each.predicate.role == role && each.signer.role == role))",
        ),
      ],
    });
    const policies = await by({ files: [policy] });
    const keys = { ada: await person("ada", "developer"), grace: await person("grace", "auditor") };
    const approve = (user: "ada" | "grace", role: string) =>
      approveArtifact(scene.factory, { artifact: { name: "app.txt", digest }, user, key: keys[user], role });
    await expect(deploy("staging", { policies })).rejects.toThrow(/POLICY_ATTESTATION_MISSING/);
    await approve("ada", "developer");
    await approve("ada", "developer");
    await expect(deploy("staging", { policies })).rejects.toThrow(/POLICY_THRESHOLD/);
    await approve("grace", "auditor");
    const caller = await provePerson(scene.factory, "ada", keys.ada);
    expect(caller.name).toBe(`spiffe://${trustDomain}/user/ada`);
    expect((await deploy("staging", { policies, caller })).environment).toBe("staging");
  });

  test("GT6: what was never published, and an environment that nobody named, are refused", async () => {
    const artifact = { name: "other", digest: sha256("other") };
    await expect(deploy("staging", { artifact })).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
    await expect(deploy("moon")).rejects.toThrow(refusal("GATE_ENVIRONMENT_UNKNOWN"));
  });

  test("GT5: an expired decision on the publication is not relied on, and is taken anew on request", async () => {
    const real = scene.factory.clock;
    const later = { now: () => new Date(real.now().getTime() + 2 * 86_400_000) };
    const factory = { ...scene.factory, clock: later };
    const policies = await policiesInForce(factory);
    const artifact = { name: "app.txt", digest };
    const asked = { artifact, environment: "staging", policies };
    await expect(deployGate(factory, asked)).rejects.toThrow(refusal("GATE_DECISION_EXPIRED"));
    const lost = renewPublication(factory, policies, { name: "other", digest: sha256("other") });
    await expect(lost).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
    const files = oneRuleEach({ publish: "request.artifact.kind == 'image'" });
    const refused = renewPublication(scene.factory, await by({ files }), artifact);
    await expect(refused).rejects.toThrow(refusal("GATE_REFUSED"));
    await expect(deploy("staging")).rejects.toThrow(/a refusal/);
    await renewPublication(scene.factory, await policiesInForce(scene.factory), artifact);
    expect((await deploy("staging")).digest).toBe(digest);
  });

  test("GT6: a list of environments that is none is refused", () => {
    for (const text of [
      "environments: staging",
      "environments: [a, a]",
      "environments: [A]",
      "other: [a]",
      "- a",
      ": :",
      "environments: []",
    ]) {
      order(text);
      expect(() => environmentsOf(scene.factory), text).toThrow(refusal("GATE_ENVIRONMENTS_MALFORMED"));
    }
  });
});
