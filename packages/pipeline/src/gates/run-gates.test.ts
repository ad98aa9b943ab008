import { predicateType } from "@touchmark/formats/predicates";
import { stepId } from "@touchmark/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EvidenceRecorder } from "../evidence/recorder.ts";
import { missingForRuns, openScene, type Performed, type Scene, statementsOf } from "../fixture.ts";
import { evidenceHere, keptRecords, policiesInForce } from "../policy/index.ts";
import { verifyArtifact } from "../verify-artifact.ts";
import { oneRuleEach } from "./policies.fixture.ts";
import { type RunGateParts, runGates } from "./run-gates.ts";

const missing = missingForRuns();
let scene: Scene;

const two = `
  steps:
    make: { run: 'cp hello.txt "$TOUCHMARK_OUTPUT/hello.txt"', inputs: { source: /work/source } }
    pack: { run: 'cat /work/make/hello.txt > "$TOUCHMARK_OUTPUT/loud.txt"', inputs: { make: /work/make } }
  artifacts:
    loud: { from: pack, path: loud.txt, kind: file }
`;
const files = { "hello.txt": "hello\n" };

type Mark = { readonly point: string; readonly denials: readonly { readonly code: string }[] };

/** The decisions that a run signed: point, subject, verdict. */
async function decisions(run: string): Promise<string[]> {
  const found = await statementsOf(scene, run, "verification_summary");
  return found.map(({ predicate, subjects }) => {
    const mark = predicate["touchmark_decision"] as unknown as Mark;
    return `${mark.point} ${subjects[0]?.name} ${predicate["verificationResult"]}`;
  });
}
const statuses = (done: Performed) => done.steps.map(({ name, status, cached }) => `${name} ${status} ${cached}`);

describe.skipIf(missing !== null)(`gates of runs${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("GT1: each gate's decision is signed in the run, recorded, and part of the verified chain", async () => {
    const project = scene.project("all", two, files);
    const done = await scene.run(project);
    expect(await decisions(done.run)).toEqual([
      "request all/default PASSED",
      "step all/default/make PASSED",
      "step all/default/pack PASSED",
      "publish loud PASSED",
    ]);
    const digest = done.artifacts[0]?.digest ?? "sha256:";
    const { chain } = await verifyArtifact(scene.factory, { digest });
    expect(chain.decisions.map(({ point }) => point)).toEqual(["request", "step", "step", "publish"]);
    expect(chain.unlisted).toEqual([]);
    const records = keptRecords(scene.factory).map(({ record }) => record.decision.point);
    expect(records.toSorted()).toEqual(["publish", "request", "step", "step"]);
  });

  test("GT1: a cached step is decided about as if it were to run", async () => {
    const project = scene.project("again", two, files);
    await scene.run(project);
    const done = await scene.run(project);
    expect(statuses(done)).toEqual(["make succeeded true", "pack succeeded true"]);
    expect(await decisions(done.run)).toHaveLength(4);
    const refused = await scene.run(project, { policies: oneRuleEach({ step: "request.step != 'make'" }) });
    expect([refused.status, ...statuses(refused)]).toEqual(["refused", "make refused false", "pack skipped false"]);
    expect(refused.steps[0]?.error?.code).toBe("GATE_REFUSED");
  });

  test("GT2: a request that policy refuses starts nothing, is explained, and its refusal is signed", async () => {
    const project = scene.project("denied", two, files);
    const policies = oneRuleEach({ request: "request.caller.kind == 'service'" });
    const done = await scene.run(project, { policies });
    expect([done.status, done.artifacts.length, ...statuses(done)]).toEqual(["refused", 0]);
    expect(done.error?.code).toBe("GATE_REFUSED");
    expect(done.error?.message).toContain("test-request rule");
    expect(done.events.filter(({ type }) => type === "step-started")).toEqual([]);
    expect(await decisions(done.run)).toEqual(["request denied/default FAILED"]);
  });

  test("GT2: without a policy, or by one without rules that can be judged, nothing starts", async () => {
    const project = scene.project("none", two, files);
    const none = await scene.run(project, { policies: [] });
    expect(none.error?.message).toContain("POLICY_NONE");
    const broken = await scene.run(project, { policies: oneRuleEach({ request: "request.nothing.at == 'all'" }) });
    expect(broken.error?.message).toContain("POLICY_EVALUATION_ERROR");
    expect([none.status, broken.status]).toEqual(["refused", "refused"]);
  });

  test("GT2: a step that policy refuses does not start, and what follows is skipped", async () => {
    const project = scene.project("step", two, files);
    const policies = oneRuleEach({ step: "!request.command.exists(word, word.contains('loud'))" });
    const done = await scene.run(project, { policies, cache: false });
    expect([done.status, ...statuses(done)]).toEqual(["refused", "make succeeded false", "pack refused false"]);
    const started = await statementsOf(scene, done.run, "link");
    expect(started).toHaveLength(1);
    expect((await decisions(done.run)).at(-1)).toBe("step step/default/pack FAILED");
  });

  test("GT2: a step sees what the statements of its makers say of its inputs", async () => {
    const project = scene.project("inputs", two, files);
    const policies = oneRuleEach({
      step: "request.inputs.all(input, input.verified) && request.network == 'none' && request.tier.startsWith('sandbox')",
    });
    expect((await scene.run(project, { policies })).status).toBe("succeeded");
  });

  test("GT9: a step's identity gets a key when its gate let it in, and the label that says so is in evidence", async () => {
    const project = scene.project("label", two, files);
    const done = await scene.run(project, { cache: false });
    const workloads = await statementsOf(scene, done.run, "workload-attestation");
    const decided = await statementsOf(scene, done.run, "verification_summary");
    const digests = decided.map(
      ({ predicate }) => (predicate["touchmark_decision"] as unknown as { decision: string }).decision,
    );
    for (const { predicate } of workloads) {
      const [{ selectors }] = predicate["workloads"] as unknown as [{ selectors: { label: string; value: string }[] }];
      expect(digests).toContain(selectors.find(({ label }) => label === "gate")?.value);
    }
    const identity = await scene.factory.identity();
    const { facts, plan } = {
      facts: { ...done.source, run: "r", trustDomain: identity.trustDomain },
      plan: { steps: [] },
    };
    const recorder = new EvidenceRecorder(identity, await scene.factory.log(), scene.factory.content);
    const policies = await policiesInForce(scene.factory);
    const gates = runGates({ factory: scene.factory, facts, plan, recorder, policies } as unknown as RunGateParts);
    recorder.grantBy(gates.assertAdmitted);
    const [spiffeId, statement] = [stepId(identity.trustDomain, "label", "default", "make"), {} as never];
    const recording = recorder.record([{ name: "step/make/link", spiffeId, statement }]);
    await expect(recording).rejects.toThrow(expect.objectContaining({ code: "GATE_LABEL_MISSING" }));
  });

  test("GT4: what may not leave is not released: its manifest is logged, and nobody has it", async () => {
    const project = scene.project("kept", two, { "hello.txt": "kept\n" });
    const policies = oneRuleEach({ publish: "chain.steps.exists(step, step.name == 'review')" });
    const done = await scene.run(project, { policies });
    expect([done.status, done.artifacts.length, done.error?.code]).toEqual(["refused", 0, "GATE_REFUSED"]);
    expect((await decisions(done.run)).at(-1)).toBe("publish loud FAILED");
    const record = await scene.factory.runs.get(done.run);
    const types = record.bundles.map((row) => row.predicateType);
    expect(types).not.toContain(predicateType("release"));
    const [summary] = (await statementsOf(scene, done.run, "verification_summary")).slice(-1);
    const hex = summary?.subjects[0]?.digest["sha256"];
    const found = await evidenceHere(scene.factory, `sha256:${hex}`);
    expect([found.chains, found.statements.map(({ statement }) => statement.predicateType)]).toEqual([
      [],
      expect.not.arrayContaining([predicateType("release")]),
    ]);
  });
});
