import { sha256 } from "@touchmark/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Project, type Scene, statementsOf } from "../fixture.ts";
import {
  clientScript,
  npmPackage,
  packageLock,
  type TestRegistry,
  testRegistry,
} from "../materials/registry.fixture.ts";
import type { RunMaterials } from "../materials/run-materials.ts";
import { keptRecords, policiesInForce } from "../policy/index.ts";
import { verifyArtifact } from "../verify-artifact.ts";
import { dependencyGate } from "./dependency-gate.ts";
import { oneRuleEach } from "./policies.fixture.ts";

const missing = missingForRuns();
const pad = npmPackage("pad", "1.0.0", "module.exports = 1;\n");
let registry: TestRegistry;
let scene: Scene;
let count = 0;

describe.skipIf(missing !== null)(`dependencies${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    registry = await testRegistry();
    registry.answers.set("/pad/-/pad-1.0.0.tgz", pad);
    scene = await openScene({
      materials: `touchmark: materials/v1\nupstreams:\n  npm: [{ name: main, url: "${registry.url}" }]\n`,
    });
  });
  afterAll(async () => {
    await scene.close();
    await registry.close();
  });

  /** A step that fetches one package, and a step that reads it. */
  const project = (): Project =>
    scene.project(
      `fetching-${++count}`,
      `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}pad/-/pad-1.0.0.tgz', inputs: { source: /work/source }, network: fetch }
    build: { run: cat /work/deps/* > "$TOUCHMARK_OUTPUT/app", inputs: { fetch: /work/deps } }
  artifacts:
    app: { from: build, path: app, kind: file }
`,
      { "client.pl": clientScript, "package-lock.json": packageLock([["pad", "1.0.0", pad]]) },
    );
  const decisions = async (run: string): Promise<string[]> =>
    (await statementsOf(scene, run, "verification_summary")).map(({ predicate, subjects }) => {
      const { point } = predicate["touchmark_decision"] as unknown as { readonly point: string };
      return `${point} ${subjects[0]?.name} ${predicate["verificationResult"]}`;
    });

  test("GT8: what comes in is decided about with the results of the materials gate, and relied on by who reads it", async () => {
    const policies = oneRuleEach({
      dependency:
        "request.locked && request.repository == 'main' && request.rules.size() > 5 && request.rules.all(each, each.outcome != 'refused')",
    });
    const done = await scene.run(project(), { policies });
    expect([done.status, done.steps.map(({ error }) => error?.message)]).toEqual(["succeeded", [undefined, undefined]]);
    const name = `fetching-${count}/default`;
    expect(await decisions(done.run)).toEqual([
      `request ${name} PASSED`,
      `step ${name}/fetch PASSED`,
      `dependency ${name}/fetch PASSED`,
      `step ${name}/build PASSED`,
      "publish app PASSED",
    ]);
    const { chain } = await verifyArtifact(scene.factory, { digest: done.artifacts[0]?.digest ?? "sha256:" });
    expect(chain.decisions.map(({ point }) => point)).toContain("dependency");
    const asked = keptRecords(scene.factory).map(({ record }) => record.decision);
    expect(asked.filter(({ point }) => point === "dependency").map(({ subject }) => subject.name)).toEqual([
      "pkg:npm/pad@1.0.0",
    ]);
  });

  test("GT8: a package that policy refuses does not come in, and the step is refused with the reason", async () => {
    const done = await scene.run(project(), { policies: oneRuleEach({ dependency: "request.name != 'pad'" }) });
    expect([done.status, done.artifacts.length]).toEqual(["refused", 0]);
    const [fetch, build] = done.steps;
    expect([fetch?.status, fetch?.error?.code, build?.status]).toEqual(["refused", "GATE_REFUSED", "skipped"]);
    expect(fetch?.error?.message).toContain("test-dependency rule");
    expect((await decisions(done.run)).at(-1)).toBe(`dependency fetching-${count}/default/fetch FAILED`);
    const [materials] = await statementsOf(scene, done.run, "materials");
    expect(materials?.predicate["materials"]).toEqual([]);
  });

  test("GT8: what policy refused is refused again, and says nothing about others that have no package URL", async () => {
    const files = oneRuleEach({ dependency: "request.name != 'bad.bin'" });
    const policies = await policiesInForce(scene.factory, { files });
    const gate = dependencyGate(
      { factory: scene.factory, facts: { now: () => scene.factory.clock.now() }, policies },
      "fetch",
    );
    let asked = 0;
    const { session } = gate.over({
      session: () => ({
        decide: () => {
          asked++;
          return { verdict: "admitted", results: [] };
        },
      }),
    } as unknown as RunMaterials);
    type Candidate = Parameters<ReturnType<RunMaterials["session"]>["decide"]>[0];
    const candidate = (fileName: string, more: object = {}) => ({
      ...{ phase: "arrival", step: "fetch", now: new Date(), locked: [], announced: [], seen: [], evidence: [] },
      facts: { ecosystem: "url", kind: "download", upstream: { name: "main", url: registry.url }, fileName, ...more },
      hashes: { sha256: sha256(fileName).slice(7) },
    });
    const verdict = (fileName: string, more?: object) =>
      session("s").decide(candidate(fileName, more) as unknown as Candidate).verdict;
    expect(["bad.bin", "bad.bin", "good.bin"].map((name) => verdict(name))).toEqual(["refused", "refused", "admitted"]);
    const purl = { purl: "pkg:npm/bad@1.0.0", name: "bad.bin" };
    expect([verdict("bad.tgz", purl), verdict("bad.tgz", purl)]).toEqual(["refused", "refused"]);
    // Another version that a message might name is no package of this step.
    const kept = keptRecords(scene.factory).length;
    const other = session("s").decide(candidate("bad.tgz", purl) as unknown as Candidate, "alternative");
    expect([other.verdict, asked, keptRecords(scene.factory).length]).toEqual(["admitted", 6, kept]);
  });

  test("GT8: what the materials gate refuses keeps its own code", async () => {
    const other = scene.project(
      `fetching-${++count}`,
      `
  steps:
    fetch: { run: 'perl client.pl ${registry.url}pad/-/pad-1.0.0.tgz', inputs: { source: /work/source }, network: fetch }
`,
      { "client.pl": clientScript, "package-lock.json": packageLock([["pad", "1.0.0", Buffer.from("other bytes")]]) },
    );
    const done = await scene.run(other, { policies: oneRuleEach({}) });
    expect(done.steps[0]?.error?.code).toMatch(/^(?!GATE_REFUSED)[A-Z_]+$/);
    expect(await decisions(done.run)).toHaveLength(2);
  });
});
