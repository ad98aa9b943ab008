import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { pipelineTemplate, templateText } from "@touchmark/formats/pipeline";
import { predicateType } from "@touchmark/formats/predicates";
import { nodeId, stepId } from "@touchmark/identity";
import { verifyArtifact } from "@touchmark/pipeline";
import {
  missingForRuns,
  openScene,
  type Performed,
  type Project,
  type Scene,
  statementsOf,
} from "@touchmark/pipeline/fixture";
import { deployGate } from "@touchmark/pipeline/gates";
import { evidenceHere, keptRecords, policiesInForce } from "@touchmark/pipeline/policy";
import { chainFacts, libraryRules } from "@touchmark/policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decisionsOf,
  documentFile,
  libraryRule,
  policyAt,
  ruled,
  startedIn,
  twoSteps,
  withOthers,
} from "./policy-scene.ts";

const files = { "hello.txt": "hello\n" };

describe.skipIf(missingForRuns() !== null)("what policies say of runs", () => {
  let scene: Scene;
  let project: Project;
  let good: Performed;
  beforeAll(async () => {
    scene = await openScene();
    project = scene.project("shop", twoSteps, files);
    good = await scene.run(project);
    mkdirSync(scene.factory.home.paths.policy, { recursive: true });
    writeFileSync(join(scene.factory.home.paths.policy, "environments.yaml"), "environments: [production]\n");
  });
  afterAll(() => scene.close());

  const outcome = ({ status, error, artifacts }: Performed) => [status, error?.code, artifacts.length];
  const refused = ["refused", "GATE_REFUSED", 0];

  test("RA-POL-01: a point whose policy is removed lets nothing pass", async () => {
    const without = (point: string) => withOthers().filter(({ name }) => name !== `required-${point}.json`);
    const request = await scene.run(project, { policies: without("request") });
    expect([...outcome(request), request.steps, startedIn(request)]).toEqual([...refused, [], 0]);
    const step = await scene.run(project, { policies: without("step"), cache: false });
    expect([step.status, step.artifacts, await statementsOf(scene, step.run, "link")]).toEqual(["refused", [], []]);
    const publish = await scene.run(project, { policies: without("publish") });
    expect(outcome(publish)).toEqual(refused);
    for (const run of [request, publish]) expect(run.error?.message).toContain("POLICY_NONE");
    const policies = await policiesInForce(scene.factory, { files: without("deploy") });
    const artifact = { name: "app.txt", digest: artifactOf(good) };
    await expect(deployGate(scene.factory, { artifact, environment: "production", policies })).rejects.toThrow(
      /POLICY_NONE/,
    );
  });
  const artifactOf = (run: Performed): Digest => run.artifacts[0]?.digest ?? "sha256:";

  test("RA-POL-02: who is not listed starts nothing, and the logged refusal names policy and rule", async () => {
    const listed = (name: string) =>
      withOthers(policyAt("request", libraryRule("request.caller-allowed", { callers: [`local-user:${name}`] })));
    const policies = listed("nobody-of-that-name");
    const denied = await scene.run(project, { policies });
    expect([...outcome(denied), startedIn(denied)]).toEqual([...refused, 0]);
    const [decision, ...more] = await decisionsOf(scene, denied);
    expect([decision?.predicate["verificationResult"], more]).toEqual(["FAILED", []]);
    expect(decision?.mark).toMatchObject({
      policies: expect.arrayContaining([sha256(policies[0]?.bytes ?? "")]),
      denials: [{ code: "POLICY_RULE_FAILED", rule: "request.caller-allowed" }],
    });
    // Only what is signed and in the log verifies.
    const { statements } = await evidenceHere(scene.factory, `sha256:${decision?.subjects[0]?.digest["sha256"]}`);
    expect(JSON.stringify(statements.map(({ statement }) => statement.predicate))).toContain(decision?.mark.decision);
    expect((await scene.run(project, { policies: listed(userInfo().username) })).status).toBe("succeeded");
  });

  test("RA-POL-03: a run on a machine that is not listed starts no step", async () => {
    const on = (node: string) =>
      withOthers(policyAt("request", libraryRule("request.nodes-allowed", { nodes: [node] })));
    const { trustDomain } = scene.factory.names();
    const denied = await scene.run(project, { policies: on(`spiffe://${trustDomain}/node/other`) });
    expect([...outcome(denied), startedIn(denied)]).toEqual([...refused, 0]);
    expect(denied.error?.message).toContain("request.nodes-allowed");
    expect((await scene.run(project, { policies: on(nodeId(trustDomain)) })).status).toBe("succeeded");
  });

  test("RA-POL-06: steps whose signers are swapped fail, though every signature is valid", async () => {
    const { trustDomain, issuer } = scene.factory.names();
    const by = (step: string) => ({
      identities: [{ identity: stepId(trustDomain, "shop", "default", step), issuer }],
    });
    const judged = async (makers: { readonly make: string; readonly pack: string }) => {
      const layout = documentFile({
        ...{ touchmark: "layout/v1", name: "release", version: 1, expires: "2099-01-01T00:00:00Z" },
        functionaries: { maker: by(makers.make), packer: by(makers.pack) },
        steps: [
          { name: "make", functionaries: ["maker"] },
          { name: "pack", functionaries: ["packer"], after: ["make"] },
        ],
        subjects: [{ step: "pack" }],
      });
      const publish = policyAt("publish", { ...ruled("chain.run != ''"), layout: sha256(layout.bytes) });
      return scene.run(project, { policies: [layout, ...withOthers(publish)] });
    };
    expect((await judged({ make: "make", pack: "pack" })).status).toBe("succeeded");
    const swapped = await judged({ make: "pack", pack: "make" });
    expect(outcome(swapped)).toEqual(refused);
    const codes = (await decisionsOf(scene, swapped)).at(-1)?.mark.denials.map(({ code }) => code);
    expect(codes).toEqual(["POLICY_STEP_FUNCTIONARY", "POLICY_STEP_FUNCTIONARY"]);
    // One wrong signer is enough.
    expect(outcome(await judged({ make: "make", pack: "make" }))).toEqual(refused);
  });

  test("RA-ADM-07: a request with a forbidden step is refused before any worker starts", async () => {
    const policies = withOthers(policyAt("request", ruled("request.steps.all(step, step.network == 'none')")));
    expect((await scene.run(project, { policies })).status).toBe("succeeded");
    const fetching = scene.project(
      "fetching",
      twoSteps.replace(
        "    pack:",
        "    get: { run: 'true', network: fetch, inputs: { source: /work/source } }\n    pack:",
      ),
      files,
    );
    const denied = await scene.run(fetching, { policies });
    expect([...outcome(denied), denied.steps, startedIn(denied)]).toEqual([...refused, [], 0]);
  });

  test("RA-PRIN-02: each consumer has a signed record of which attestations it checked, by which policy, as whom", async () => {
    const decided = await decisionsOf(scene, good);
    const { trustDomain } = scene.factory.names();
    for (const { predicate } of decided) {
      expect(predicate["verifier"]).toMatchObject({ id: `spiffe://${trustDomain}/builder` });
      expect(predicate).toMatchObject({
        policy: { digest: { sha256: expect.any(String) } },
        verificationResult: "PASSED",
      });
    }
    const of = (name: string) => decided.find(({ subjects }) => subjects[0]?.name === name)?.inputs ?? [];
    const { bundles } = await scene.factory.runs.get(good.run);
    const statements = await scene.statements(bundles.map(({ digest }) => digest));
    const bundlesOf = (kind: string) =>
      statements.filter(({ predicateType }) => predicateType.includes(`/${kind}/`)).map(({ bundle }) => bundle);
    const [make] = bundlesOf("link");
    expect(of("shop/default/pack")).toContain(make);
    expect(of("app")).toEqual(
      expect.arrayContaining([...bundlesOf("link"), ...bundlesOf("source"), ...bundlesOf("release")]),
    );
  });

  test("standardize-pipelines: where templates are demanded, no other pipeline starts, and neither does one that drifted", async () => {
    const policies = withOthers(policyAt("request", { collections: ["pipeline-templates"] }));
    const template = pipelineTemplate("go-program");
    if (template === undefined) throw new TypeError("no such template");
    const text = templateText(template, { project: "tool" });
    const decision = async (name: string, file: string | undefined) => {
      const made = scene.project(name, twoSteps, files);
      if (file !== undefined) {
        made.write({ "touchmark.yaml": file });
        made.commit();
      }
      const [request] = await decisionsOf(scene, await scene.run(made, { policies }));
      return [
        request?.mark.point,
        request?.predicate["verificationResult"],
        ...(request?.mark.denials.map(({ rule }) => rule) ?? []),
      ];
    };
    expect(await decision("free", undefined)).toEqual(["request", "FAILED", "request.template"]);
    expect(await decision("tool", text)).toEqual(["request", "PASSED"]);
    const drifted = text.replace(/ {6}build:\n/, "      build:\n        network: fetch\n");
    expect(drifted).not.toBe(text);
    expect(await decision("drifted", drifted)).toEqual(["request", "FAILED", "request.template"]);
  });

  test("RA-POL-07: every rule of the library reads what a gate or an attestor states, but three that have none yet", async () => {
    const { chain } = await verifyArtifact(scene.factory, { digest: artifactOf(good) });
    const facts = Object.keys(chainFacts(chain) as object);
    const known = new Set(facts.flatMap((fact) => [`publish chain.${fact}`, `deploy chain.${fact}`]));
    for (const { record } of keptRecords(scene.factory)) {
      for (const fact of Object.keys(record.request as object)) known.add(`${record.decision.point} request.${fact}`);
    }
    // Only a step in an image has one, and only a promotion goes somewhere.
    known.add("step request.image").add("publish request.target");
    // Each statement of the run by its type, and those that people and gates sign.
    const signed = chain.statements.map(({ predicateType }) => predicateType);
    const types = new Set([...signed, predicateType("approval"), predicateType("verification-summary")]);
    const unproven = libraryRules.flatMap(({ id, expression, points: [point], attestations = {} }) => {
      const read = [...expression.matchAll(/\b(?:request|chain)\.\w+/g)].map(([path]) => `${point} ${path}`);
      const strange = Object.values(attestations).filter((type) => !types.has(type));
      const isLinked = read.length + Object.keys(attestations).length > 0 || expression.includes("layout");
      const unknown = read.filter((path) => !known.has(path) && !path.startsWith("dependency "));
      return isLinked && unknown.length + strange.length === 0 ? [] : [[id, ...unknown, ...strange]];
    });
    // Nobody states yet who reviewed a change, and what a scan for secrets found.
    expect(unproven.map(([id]) => id)).toEqual(["review.approved", "review.distinct-author", "secrets.scan-passed"]);
  });
});
