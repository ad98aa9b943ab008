import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Performed, type Project, type Scene, statementsOf } from "../fixture.ts";
import { verifyArtifact } from "../verify-artifact.ts";
import { explainMaterial } from "./explain.ts";
import { lockFromRun } from "./lock-run.ts";
import { clientScript, npmPackage, packageLock, type TestRegistry, testRegistry } from "./registry.fixture.ts";

const missing = missingForRuns();
const pad = npmPackage("pad", "1.0.0", "module.exports = 1;\n");
const other = npmPackage("other", "2.0.0", "module.exports = 2;\n");

describe.skipIf(missing !== null)("fetch steps", () => {
  let registry: TestRegistry;
  let scene: Scene;
  let count = 0;

  beforeAll(async () => {
    registry = await testRegistry();
    scene = await openScene({ materials: trusting(registry.url) });
  });
  afterAll(async () => {
    await scene.close();
    await registry.close();
  });
  beforeEach(() => {
    registry.asked.length = 0;
    registry.answers.clear();
    registry.answers.set("/pad/-/pad-1.0.0.tgz", pad).set("/other/-/other-2.0.0.tgz", other);
  });

  /** A project whose fetch step asks the registry for these paths, and whose build step reads the first. */
  function project(paths: readonly string[], options: { lock?: string; script?: string } = {}): Project {
    const urls = paths.map((path) => `${registry.url}${path}`).join(" ");
    const script = options.script ?? `perl client.pl ${urls}`;
    return scene.project(
      `fetching-${++count}`,
      `
  steps:
    fetch: { run: '${script}', inputs: { source: /work/source }, network: fetch }
    build: { run: cat /work/deps/* > "$TOUCHMARK_OUTPUT/app", inputs: { fetch: /work/deps } }
  artifacts:
    app: { from: build, path: app, kind: file }
`,
      { "client.pl": clientScript, "package-lock.json": options.lock ?? packageLock([["pad", "1.0.0", pad]]) },
    );
  }

  const artifactOf = (done: Performed) => done.artifacts[0]?.digest as `sha256:${string}`;

  test("R17, R19: what comes in is a signed statement and a resolved dependency, and the build is hermetic by measure", async () => {
    const done = await scene.run(project(["pad/-/pad-1.0.0.tgz"]));
    expect(done.status).toBe("succeeded");
    expect(done.events).toContainEqual({
      type: "reconciled",
      step: "fetch",
      summary: "1 locked, 1 fetched, 0 unknown",
    });
    const [materials] = await statementsOf(scene, done.run, "materials");
    expect(materials?.predicate).toMatchObject({ accounted: true, offline: false, refused: [] });
    const [provenance] = await statementsOf(scene, done.run, "provenance");
    const definition = provenance?.predicate["buildDefinition"] as unknown as {
      resolvedDependencies: { uri?: string; downloadLocation?: string }[];
      internalParameters: { hermetic: boolean; recordedNetwork: string[] };
    };
    expect(definition.resolvedDependencies).toContainEqual(
      expect.objectContaining({
        uri: "pkg:npm/pad@1.0.0",
        downloadLocation: `${registry.url}pad/-/pad-1.0.0.tgz`,
        annotations: { ecosystem: "npm", kind: "archive", locked: true },
      }),
    );
    expect(definition.internalParameters).toMatchObject({ hermetic: true, recordedNetwork: ["fetch"] });
    const { chain } = await verifyArtifact(scene.factory, { digest: artifactOf(done) }, { require: ["hermetic"] });
    expect(chain.steps.map((step) => [step.name, step.network])).toEqual([
      ["fetch", "proxy"],
      ["build", "none"],
    ]);
  });

  test("R18: a package that no lockfile names refuses the step, also when its command does not mind", async () => {
    const urls = `${registry.url}pad/-/pad-1.0.0.tgz ${registry.url}other/-/other-2.0.0.tgz`;
    const done = await scene.run(project([], { script: `perl client.pl ${urls} || true` }));
    const [fetch] = done.steps;
    expect([done.status, fetch?.status, fetch?.exitCode, fetch?.error?.code]).toEqual([
      "refused",
      "refused",
      0,
      "GATE_NOT_LOCKED",
    ]);
    expect(registry.asked).not.toContain("/other/-/other-2.0.0.tgz");
    const [materials] = await statementsOf(scene, done.run, "materials");
    expect(materials?.predicate).toMatchObject({ accounted: false, refused: [{ code: "GATE_NOT_LOCKED", count: 1 }] });
  });

  test("R18: other bytes under a locked name never reach the step, and an address that nothing names is not asked", async () => {
    registry.answers.set("/new/-/new-1.0.0.tgz", npmPackage("new", "1.0.0", "evil();\n"));
    const lock = packageLock([["new", "1.0.0", npmPackage("new", "1.0.0", "good();\n")]]);
    const swapped = await scene.run(project(["new/-/new-1.0.0.tgz"], { lock }));
    expect(swapped.steps[0]?.error?.code).toBe("SESSION_DIGEST_MISMATCH");
    const away = await scene.run(project([], { script: "perl client.pl http://elsewhere.example/x" }));
    expect(away.steps[0]?.error?.code).toBe("SESSION_ADDRESS_UNKNOWN");
  });

  test("R20: offline, the mirror gives the same artifact with the registry gone; what it lacks is named", async () => {
    const built = project(["pad/-/pad-1.0.0.tgz"]);
    const online = await scene.run(built, { cache: false });
    registry.answers.clear();
    registry.asked.length = 0;
    const offline = await scene.run(built, { cache: false, offline: true });
    expect([offline.status, artifactOf(offline)]).toEqual(["succeeded", artifactOf(online)]);
    expect(registry.asked).toEqual([]);
    const lock = packageLock([["other", "2.0.0", other]]);
    const lacking = await scene.run(project(["other/-/other-2.0.0.tgz"], { lock }), { offline: true });
    expect(lacking.steps[0]?.error?.code).toBe("SESSION_OFFLINE_MISSING");
  });

  test("R21: a lockfile that the step writes does not count, and one that the pipeline names must be there", async () => {
    const lock = packageLock([["other", "2.0.0", other]]);
    const script = `cp other.lock /tmp/package-lock.json; cd /tmp; perl /work/source/client.pl ${registry.url}other/-/other-2.0.0.tgz`;
    const writing = project([], { script });
    writing.write({ "other.lock": lock });
    writing.commit();
    expect((await scene.run(writing)).steps[0]?.error?.code).toBe("GATE_NOT_LOCKED");
    const named = scene.project(
      "names-a-lockfile",
      `
  steps:
    fetch: { run: "true", inputs: { source: /work/source }, network: fetch, materials: { lockfiles: [yarn.lock] } }
  artifacts: {}
`,
    );
    expect((await scene.run(named)).steps[0]?.error?.code).toBe("MATERIALS_LOCKFILE_MISSING");
  });

  test("R17: a plain download is let in by the digest that the pipeline gives", async () => {
    registry.answers.set("/tool.bin", Buffer.from("a tool"));
    const pinned = (digest: string): Project =>
      scene.project(
        `download-${++count}`,
        `
  steps:
    fetch:
      run: perl client.pl ${registry.url.replace("127.0.0.1", "localhost")}tool.bin
      inputs: { source: /work/source }
      network: fetch
      materials: { downloads: [{ url: "${registry.url.replace("127.0.0.1", "localhost")}tool.bin", sha256: "${digest}" }] }
  artifacts:
    tool: { from: fetch, path: tool.bin, kind: file }
`,
        { "client.pl": clientScript },
      );
    const wrong = await scene.run(pinned("0".repeat(64)));
    expect(wrong.steps[0]?.error?.code).toBe("SESSION_DIGEST_MISMATCH");
    const right = await scene.run(pinned(createHash("sha256").update("a tool").digest("hex")));
    expect(right.status).toBe("succeeded");
  });

  test("R22: the installed clients are asked once, and what they say is the user's file from then on", async () => {
    const clients = join(scene.directory, "clients");
    mkdirSync(clients);
    writeFileSync(join(clients, "npm"), `#!/bin/sh\necho asked >> "${clients}/asked"\necho "${registry.url}"\n`);
    chmodSync(join(clients, "npm"), 0o755);
    const fresh = await openScene({ materials: null });
    try {
      const file = join(fresh.home, "materials.yaml");
      const built = fresh.project(
        "asking",
        `
  steps:
    fetch: { run: perl client.pl ${registry.url}pad/-/pad-1.0.0.tgz, inputs: { source: /work/source }, network: fetch }
  artifacts:
    pad: { from: fetch, path: pad-1.0.0.tgz, kind: file }
`,
        { "client.pl": clientScript, "package-lock.json": packageLock([["pad", "1.0.0", pad]]) },
      );
      const environment = { PATH: `${clients}:/usr/bin:/bin` };
      expect(existsSync(file)).toBe(false);
      const first = await fresh.run(built, { environment });
      expect([first.status, first.steps[0]?.error?.message]).toEqual(["succeeded", undefined]);
      const text = readFileSync(file, "utf8");
      expect(text).toContain(registry.url);
      const times = readFileSync(join(clients, "asked"), "utf8");
      await fresh.run(built, { environment });
      expect([readFileSync(file, "utf8"), readFileSync(join(clients, "asked"), "utf8")]).toEqual([text, times]);
    } finally {
      await fresh.close();
    }
  });

  test("R17: a package is explained from the statements of its run, and what was recorded can be locked", async () => {
    const done = await scene.run(project(["pad/-/pad-1.0.0.tgz"]));
    const [found] = await explainMaterial(scene.factory, "pad@1.0.0", done.run);
    expect(found?.locked).toEqual([{ file: "package-lock.json", key: "node_modules/pad", scope: "runtime" }]);
    expect(found?.ways).toEqual([["node_modules/pad"]]);
    await expect(explainMaterial(scene.factory, "padd", done.run)).rejects.toMatchObject({ code: "MATERIAL_UNKNOWN" });
    expect(await lockFromRun(scene.factory, done.run)).toMatchObject({ packages: 0 });
  });
});

function trusting(url: string): string {
  return `touchmark: materials/v1\nupstreams:\n  npm: [{ name: own, url: "${url}" }]\n`;
}
