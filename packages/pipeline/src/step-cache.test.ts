import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  bundlesOf,
  cacheEntries,
  forgetCache,
  missingForRuns,
  openScene,
  type Project,
  type Scene,
  statementsOf,
} from "./fixture.ts";
import { hostFiles } from "./host-files.ts";
import { verifyArtifact } from "./verify-artifact.ts";

const missing = missingForRuns();
let scene: Scene;
let project: Project;

const steps = `
  steps:
    one: { run: cp hello "$TOUCHMARK_OUTPUT/f", inputs: { source: /work/source } }
    two: { run: cp /work/one/f "$TOUCHMARK_OUTPUT/g", inputs: { one: /work/one } }
  artifacts:
    g: { from: two, path: g, kind: file }
`;

interface Entry {
  key: Digest;
  run: string;
  output: Digest;
  bundles: { name: string; digest: Digest; predicateType: string; logIndex: number }[];
}

/** The cache entry of a step, with a way to replace it. */
function entryOf(step: string): { entry: Entry; replace: (entry: unknown) => void; path: string } {
  for (const { path, entry } of cacheEntries(scene)) {
    const found = entry as unknown as Entry;
    if (found.bundles.some((row) => row.name === `step/${step}/link`)) {
      return { entry: found, path, replace: (next) => writeFileSync(path, JSON.stringify(next)) };
    }
  }
  throw new Error(`no entry of ${step}`);
}

const summary = (done: {
  steps: readonly { name: string; status: string; cached: boolean; error?: { code: string } }[];
}) => done.steps.map(({ name, status, cached, error }) => `${name} ${error?.code ?? status}${cached ? " cached" : ""}`);

describe.skipIf(missing !== null)(`the step cache${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    project = scene.project("cached", steps, { hello: "hello\n" });
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    forgetCache(scene);
    expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded"]);
  });

  test("R6: a second run takes both steps from the cache, and its own chain verifies", async () => {
    const again = await scene.run(project);
    expect(summary(again)).toEqual(["one succeeded cached", "two succeeded cached"]);
    const digest = again.artifacts[0]?.digest as Digest;
    const { chain } = await verifyArtifact(scene.factory, { digest });
    expect(chain.run).toBe(again.run);
    expect(chain.steps.every((step) => step.cachedFrom !== undefined && step.cachedFrom !== again.run)).toBe(true);
    expect(chain.notChecked.join()).toContain("earlier runs");
    // A hit of a hit names the run that performed the step, never one that took it over.
    const third = await scene.run(project);
    const hits = await statementsOf(scene, third.run, "cache-hit");
    expect(hits.map((hit) => (hit.predicate["original"] as unknown as { run: string }).run)).toEqual(
      chain.steps.map((step) => step.cachedFrom),
    );
    expect(summary(await scene.run(project, { cache: false }))).toEqual(["one succeeded", "two succeeded"]);
  });

  test("R6: another command, environment, input, limit or commit time is another step", async () => {
    const variants = [
      steps.replace("cp hello", "cp ./hello"),
      steps.replace(
        'f", inputs: { source: /work/source }',
        'f", inputs: { source: /work/source }, environment: { A: "1" }',
      ),
      steps.replace(
        'f", inputs: { source: /work/source }',
        'f", inputs: { source: /work/source }, limits: { pids: 100 }',
      ),
    ];
    const { pipelineFile } = await import("./fixture.ts");
    for (const variant of variants) {
      project.write({ "touchmark.yaml": pipelineFile("cached", variant) });
      project.commit();
      expect(summary(await scene.run(project))[0]).toBe("one succeeded");
    }
    project.write({ "touchmark.yaml": pipelineFile("cached", steps) });
    project.commit();
  });

  test("R6: an entry that points to another step's evidence is poisoned, set aside, and forgotten by the next run", async () => {
    const one = entryOf("one");
    const two = entryOf("two");
    const poisons: [string, unknown][] = [
      ["other bundles", { ...one.entry, bundles: two.entry.bundles }],
      [
        "renamed bundles",
        { ...one.entry, bundles: two.entry.bundles.map((row) => ({ ...row, name: row.name.replace("two", "one") })) },
      ],
      ["other output", { ...one.entry, output: two.entry.output }],
      [
        "one bundle more",
        { ...one.entry, bundles: [...one.entry.bundles, { ...two.entry.bundles[0], name: "trigger" }] },
      ],
      ["one bundle less", { ...one.entry, bundles: one.entry.bundles.slice(1) }],
      ["other run", { ...one.entry, run: "20200101-000000000-00000000" }],
    ];
    for (const [what, poison] of poisons) {
      const { entry, replace, path } = entryOf("one");
      const text = JSON.stringify(poison).replaceAll(one.entry.key, entry.key);
      replace(JSON.parse(text));
      const refused = await scene.run(project);
      expect([what, ...summary(refused)]).toEqual([what, "one CACHE_POISONED", "two skipped"]);
      expect([refused.status, refused.artifacts]).toEqual(["refused", []]);
      expect(existsSync(path)).toBe(false);
      const set = readdirSync(scene.factory.home.paths.quarantine);
      expect(set.some((name) => name.startsWith(path.split("/").at(-1)?.slice(0, -5) ?? ""))).toBe(true);
      expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded cached"]);
      writeFileSync(path, JSON.stringify(one.entry));
    }
  });

  test("R6: equal steps of two projects are two: each has its own functionary, and neither poisons the other", async () => {
    const twin = scene.project("cached-twin", steps, { hello: "hello\n" });
    expect(summary(await scene.run(twin))).toEqual(["one succeeded", "two succeeded"]);
    expect(summary(await scene.run(twin))).toEqual(["one succeeded cached", "two succeeded cached"]);
    expect(summary(await scene.run(project))).toEqual(["one succeeded cached", "two succeeded cached"]);
  });

  test("R6: evidence of the same step under another key is no evidence for this one", async () => {
    const { entry } = entryOf("one");
    const { pipelineFile } = await import("./fixture.ts");
    project.write({ "touchmark.yaml": pipelineFile("cached", steps.replace("cp hello", "cp  hello")) });
    project.commit();
    await scene.run(project);
    const other = cacheEntries(scene).find(
      (row) => row.entry["key"] !== entry.key && JSON.stringify(row.entry).includes("step/one/link"),
    );
    writeFileSync(other?.path ?? "", JSON.stringify({ ...entry, key: other?.entry["key"] }));
    expect(summary(await scene.run(project))[0]).toBe("one CACHE_POISONED");
    project.write({ "touchmark.yaml": pipelineFile("cached", steps) });
    project.commit();
  });

  test("R6: bundles of another factory are no evidence, however well they are signed", async () => {
    const foreign = await openScene();
    try {
      const elsewhere = foreign.project("cached", steps, { hello: "hello\n" });
      const done = await foreign.run(elsewhere);
      for (const digest of await bundlesOf(foreign, done.run)) {
        await scene.factory.content.put(await foreign.factory.content.get(digest));
      }
      const theirs = cacheEntries(foreign).map((row) => row.entry as unknown as Entry);
      const { entry, replace } = entryOf("one");
      const match = theirs.find((row) => row.bundles.some((bundle) => bundle.name === "step/one/link"));
      replace({ ...match, key: entry.key });
      expect(summary(await scene.run(project))[0]).toBe("one CACHE_POISONED");
    } finally {
      await foreign.close();
    }
  });

  test("R6: lost or damaged evidence, a lost tree and a damaged entry are misses or refusals, never hits", async () => {
    const { entry } = entryOf("one");
    const blob = scene.factory.content.path(entry.bundles[0]?.digest as Digest);
    rmSync(blob);
    expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded cached"]);
    const damaged = scene.factory.content.path(entryOf("one").entry.bundles[1]?.digest as Digest);
    chmodSync(damaged, 0o600);
    appendFileSync(damaged, " ");
    expect(summary(await scene.run(project))[0]).toBe("one succeeded");
    writeFileSync(entryOf("one").path, "{ not json");
    expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded cached"]);
    await scene.factory.trees.delete(entryOf("one").entry.output);
    expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded cached"]);
  });

  test("R3, R6: an output tree altered in the cache is never built upon: who uses it hashes it", async () => {
    const { entry } = entryOf("one");
    const file = join(scene.factory.trees.root(entry.output), "f");
    chmodSync(file, 0o644);
    writeFileSync(file, "evil\n");
    // The second step must run: its input is hashed again, and found altered.
    rmSync(entryOf("two").path);
    expect(summary(await scene.run(project))).toEqual(["one succeeded cached", "two INPUT_CHANGED"]);
    // The altered tree was set aside, so that the next run makes it again.
    expect(summary(await scene.run(project))).toEqual(["one succeeded", "two succeeded"]);
    const last = entryOf("two").entry.output;
    const released = join(scene.factory.trees.root(last), "g");
    chmodSync(released, 0o644);
    writeFileSync(released, "evil\n");
    const refused = await scene.run(project);
    expect([refused.status, refused.error?.code, refused.artifacts]).toEqual(["refused", "ARTIFACT_CHANGED", []]);
    expect((await scene.run(project)).status).toBe("succeeded");
  });

  test("R6: a toolchain file with another digest than the trace recorded is a miss", async () => {
    const file = join(scene.directory, "tool");
    writeFileSync(file, "one");
    const files = hostFiles();
    const digest = files.digest(file) as Digest;
    expect(files.unchanged([{ path: file, digest }])).toBe(true);
    writeFileSync(file, "two");
    expect(hostFiles().unchanged([{ path: file, digest }])).toBe(false);
    expect(hostFiles().unchanged([{ path: join(scene.directory, "gone"), digest }])).toBe(false);
    // A toolchain of this test's own, declared by the step.
    const tools = join("/opt", `touchmark-test-${process.pid}`);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(tools, { mode: 0o755 });
    try {
      writeFileSync(join(tools, "tool"), "#!/bin/sh\necho one\n", { mode: 0o755 });
      const tooled = scene.project(
        "tooled",
        `
  steps:
    use: { run: ${tools}/tool > "$TOUCHMARK_OUTPUT/f", inputs: { source: /work/source }, toolchains: [${tools}] }
`,
      );
      expect(summary(await scene.run(tooled))).toEqual(["use succeeded"]);
      expect(summary(await scene.run(tooled))).toEqual(["use succeeded cached"]);
      writeFileSync(join(tools, "tool"), "#!/bin/sh\necho two\n", { mode: 0o755 });
      expect(summary(await scene.run(tooled))).toEqual(["use succeeded"]);
    } finally {
      rmSync(tools, { recursive: true });
    }
  });

  test("R3: an input altered on disk between two steps is refused when the next one starts", async () => {
    const done = await scene.run(project, {
      cache: false,
      listener: (event) => {
        if (event.type !== "step-finished" || event.step !== "one" || event.status !== "succeeded") return;
        const { entry } = entryOf("one");
        const file = join(scene.factory.trees.root(entry.output), "f");
        chmodSync(file, 0o644);
        writeFileSync(file, "swapped\n");
      },
    });
    expect(summary(done)).toEqual(["one succeeded", "two INPUT_CHANGED"]);
    expect(readFileSync(join(project.directory, "hello"), "utf8")).toBe("hello\n");
  });
});
