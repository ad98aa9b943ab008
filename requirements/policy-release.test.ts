import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import type { Policy } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import { exportArtifact } from "@touchmark/pipeline";
import { missingForRuns, openScene, type Performed, type Project, type Scene } from "@touchmark/pipeline/fixture";
import { deployGate } from "@touchmark/pipeline/gates";
import { approveArtifact, enrolUser } from "@touchmark/pipeline/people";
import { policiesInForce } from "@touchmark/pipeline/policy";
import { decide, pinned } from "@touchmark/policy";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { libraryRule, policyAt, ruled, withOthers } from "./policy-scene.ts";

const report = (path: string) =>
  `printf '%s' '<testsuite><testcase name="one"/></testsuite>' > "$TOUCHMARK_OUTPUT/${path}"`;
const pipeline = (reports: string): string => `
  parameters:
    version: { type: string, default: "1" }
  steps:
    test:
      run: ${JSON.stringify(report("report.xml"))}
      inputs: { source: /work/source }${reports}
    pack:
      run: cp hello.txt "$TOUCHMARK_OUTPUT/app.txt"
      inputs: { source: /work/source }
  artifacts:
    app: { from: pack, path: app.txt, kind: file }
`;
const reporting = pipeline("\n      reports: [{ path: report.xml, kind: junit }]");
const files = { "hello.txt": "hello\n" };
const refusal = (code: string) => expect.objectContaining({ code });

describe.skipIf(missingForRuns() !== null)("what policies say of releases and deployments", () => {
  let scene: Scene;
  let project: Project;
  let good: Performed;
  beforeAll(async () => {
    scene = await openScene();
    project = scene.project("shop", reporting, files);
    good = await scene.run(project);
    mkdirSync(scene.factory.home.paths.policy, { recursive: true });
    writeFileSync(join(scene.factory.home.paths.policy, "environments.yaml"), "environments: [production]\n");
  });
  afterAll(() => scene.close());

  const builder = () => ({ identity: `spiffe://${scene.factory.names().trustDomain}/builder` });
  const step = (name: string) => ({
    identity: `spiffe://${scene.factory.names().trustDomain}/project/shop/pipeline/default/step/${name}`,
  });
  const digestOf = (run: Performed): Digest => run.artifacts[0]?.digest ?? "sha256:";
  const deploy = async (members: Partial<Policy>) => {
    const policies = await policiesInForce(scene.factory, { files: withOthers(policyAt("deploy", members)) });
    const artifact = { name: "app.txt", digest: digestOf(good) };
    return deployGate(scene.factory, { artifact, environment: "production", policies });
  };

  /** Reports of tests are demanded, by their type. */
  const tested = (): Partial<Policy> => ({
    trust: { steps: { identities: [builder(), step("test")] } },
    attestations: { tests: { predicateType: predicateType("step-report"), by: ["steps"], about: "run" } },
    rules: [
      {
        id: "tests",
        title: "Tests were run, and none failed",
        expression: "attestations.tests.exists(t, t.predicate.kind == 'junit')",
      },
    ],
  });

  test("RA-ADM-10: without a demanded predicate nothing is published; with it a controller elsewhere admits", async () => {
    const policies = withOthers(policyAt("publish", tested()));
    const silent = await scene.run(scene.project("silent", pipeline(""), files), { policies });
    expect([silent.status, silent.error?.code, silent.artifacts]).toEqual(["refused", "GATE_REFUSED", []]);
    expect(silent.error?.message).toContain("POLICY_ATTESTATION_MISSING");
    const run = await scene.run(project, { policies });
    expect(run.status).toBe("succeeded");

    // Elsewhere there is the export, the trust root, and no factory.
    const exported = await exportArtifact(scene.factory, digestOf(run), join(scene.directory, "export"));
    const bundles = exported.bundles.map((name) => readFileSync(join(exported.bundlesDirectory, name)));
    const trustRoot = readTrustRoot(await scene.factory.trustRoot());
    const { issuer } = scene.factory.names();
    const artifact = { digest: digestOf(run) };
    const expected = { builder: builder().identity, source: run.source.uri, artifact: artifact.digest };
    const unbound = { artifact: "unbound", identityPattern: "spiffe:.+", issuer } as const;
    const evidence = bundles.map((bytes) => verifyBundle(bytes, trustRoot, unbound));
    const chains = [verifyRun(bundles, trustRoot, expected)];
    const controller = (shown: typeof evidence) =>
      decide({
        ...{ point: "deploy", subject: { name: "app.txt", ...artifact }, request: {}, layouts: [], parameters: {} },
        policies: [pinned(JSON.parse(Buffer.from(policyAt("deploy", tested()).bytes).toString("utf8")) as Policy)],
        ...{ evidence: shown, chains, now: new Date(), issuer },
      });
    expect(controller(evidence).result).toBe("allow");
    const without = evidence.filter(({ statement }) => statement.predicateType !== predicateType("step-report"));
    expect(controller(without).result).toBe("deny");
  });

  test("RA-ADM-13: an approval that is missing or signed by another key stops the deployment", async () => {
    const { trustDomain } = scene.factory.names();
    const person = async (name: string) => {
      const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const spki = createPublicKey(key).export({ format: "der", type: "spki" });
      await enrolUser(scene.factory, { name, roles: ["operator"], spki });
      const artifact = { name: "app.txt", digest: digestOf(good) };
      return () => approveArtifact(scene.factory, { artifact, user: name, key, role: "operator" });
    };
    const approved: Partial<Policy> = {
      trust: { ada: { identities: [{ identity: `spiffe://${trustDomain}/user/ada` }] } },
      attestations: { approval: { predicateType: predicateType("approval"), by: ["ada"] } },
      ...ruled("attestations.approval.size() > 0"),
    };
    const [ada, eve] = [await person("ada"), await person("eve")];
    await expect(deploy(approved)).rejects.toThrow(/POLICY_ATTESTATION_MISSING/);
    await eve();
    await expect(deploy(approved)).rejects.toThrow(/POLICY_ATTESTATION_MISSING/);
    await ada();
    expect((await deploy(approved)).environment).toBe("production");
  });

  test("RA-ADM-14: provenance of another source, builder or parameter stops the deployment, whoever signed it well", async () => {
    const provenance = (rule: string): Partial<Policy> => ({
      trust: { builder: { identities: [builder()] } },
      attestations: { provenance: { predicateType: "https://slsa.dev/provenance/v1", by: ["builder"] } },
      ...ruled(rule),
    });
    const version = (value: string) =>
      provenance(
        `attestations.provenance.all(p, p.predicate.buildDefinition.externalParameters.parameters.version == '${value}')`,
      );
    const { uri } = good.source;
    const own = builder().identity;
    for (const right of [
      libraryRule("source.trusted", { sources: [uri] }),
      libraryRule("builder.trusted", { builders: [own] }),
      version("1"),
    ]) {
      expect((await deploy(right)).environment).toBe("production");
    }
    for (const wrong of [
      libraryRule("source.trusted", { sources: [`${uri}-fork`] }),
      libraryRule("builder.trusted", { builders: [`${own}/other`] }),
      version("2"),
    ]) {
      await expect(deploy(wrong)).rejects.toThrow(refusal("GATE_REFUSED"));
    }
  });
});
