import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Project, type Scene, statementsOf } from "../fixture.ts";
import {
  clientScript,
  npmPackage,
  packageLock,
  type TestRegistry,
  testRegistry,
} from "../materials/registry.fixture.ts";
import { keptRecords } from "../policy/index.ts";
import { verifyArtifact } from "../verify-artifact.ts";
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
