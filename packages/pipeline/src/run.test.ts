import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  codeOf,
  missingForRuns,
  openScene,
  pipelineFile,
  type Scene,
  type SignedStatement,
  statementsOf,
} from "./fixture.ts";
import { verifyArtifact } from "./verify-artifact.ts";

const missing = missingForRuns();
let scene: Scene;

const two = `
  steps:
    make:
      run: cp hello.txt "$TOUCHMARK_OUTPUT/hello.txt"; echo made
      inputs: { source: /work/source }
    pack:
      run: tr a-z A-Z < /work/make/hello.txt > "$TOUCHMARK_OUTPUT/loud.txt"
      inputs: { make: /work/make }
  artifacts:
    loud: { from: pack, path: loud.txt, kind: file }
`;

/** The one statement of a kind. */
async function only(run: string, kind: string): Promise<SignedStatement> {
  const [statement] = await statementsOf(scene, run, kind);
  if (statement === undefined) throw new Error(`run ${run} has no ${kind}`);
  return statement;
}

describe.skipIf(missing !== null)(`runs${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("R1, R4, R10: steps in order, products measured, one chain that verifies", async () => {
    const project = scene.project("plain", two, { "hello.txt": "hello\n" });
    const done = await scene.run(project);
    expect(
      done.steps.map(({ name, status, cached, observation }) => [name, status, cached, observation?.complete]),
    ).toEqual([
      ["make", "succeeded", false, true],
      ["pack", "succeeded", false, true],
    ]);
    const [artifact] = done.artifacts;
    expect(readFileSync(scene.factory.content.path(artifact?.digest as `sha256:${string}`), "utf8")).toBe("HELLO\n");
    const { chain } = await verifyArtifact(scene.factory, { digest: artifact?.digest as `sha256:${string}` });
    expect(chain.steps.map((step) => step.name)).toEqual(["make", "pack"]);
    expect(chain.hermetic).toBe(true);
    expect(chain.source.commit).toBe(done.source.commit);
    expect(chain.notChecked).toContain("whether the source was reviewed");
    expect(chain.statements).toHaveLength(done.evidence);
    const order = done.events.filter((event) => event.type.startsWith("step-") && event.type !== "step-output");
    expect(order.map((event) => `${event.type} ${"step" in event ? event.step : ""}`)).toEqual([
      "step-started make",
      "step-finished make",
      "step-started pack",
      "step-finished pack",
    ]);
  });

  test("R1: one step at a time when one job is asked for; independent steps go on beside a failed one", async () => {
    const project = scene.project(
      "fan",
      `
  steps:
    a: { run: exit 7, inputs: { source: /work/source } }
    b: { run: exit 0, inputs: { source: /work/source } }
    c: { run: exit 0, inputs: { a: /work/a } }
`,
    );
    const done = await scene.run(project, { jobs: 1 });
    expect(done.steps.map(({ name, status }) => `${name} ${status}`)).toEqual(["a failed", "b succeeded", "c skipped"]);
    let running = 0;
    for (const event of done.events) {
      if (event.type === "step-started") running++;
      if (event.type === "step-finished" && event.step !== "c") running--;
      expect(running).toBeLessThanOrEqual(1);
    }
  });

  test("R2: the pipeline file of the revision counts; a changed working tree is refused, or recorded as insecure", async () => {
    const project = scene.project("tree", two, { "hello.txt": "committed\n" });
    project.write({ "hello.txt": "edited\n" });
    expect(await codeOf(scene.run(project))).toBe("SOURCE_WORKING_TREE_CHANGED");
    const head = await scene.run(project, { revision: project.git("rev-parse", "HEAD") });
    expect(readFileSync(scene.factory.content.path(head.artifacts[0]?.digest as `sha256:${string}`), "utf8")).toBe(
      "COMMITTED\n",
    );
    const edited = await scene.run(project, { insecureWorkingTree: true });
    const digest = edited.artifacts[0]?.digest as `sha256:${string}`;
    expect(readFileSync(scene.factory.content.path(digest), "utf8")).toBe("EDITED\n");
    const { chain } = await verifyArtifact(scene.factory, { digest });
    expect([chain.workingTree, chain.insecureOptions]).toEqual([true, ["insecure-working-tree"]]);
    const [provenance] = await statementsOf(scene, edited.run, "provenance");
    expect(JSON.stringify(provenance?.predicate)).toContain("insecure-working-tree");
    const [source] = await statementsOf(scene, edited.run, "source");
    expect(source?.predicate["changedFiles"]).toEqual(["hello.txt"]);
  });

  test("R2: a revision without touchmark.yaml, or with one that is no file, has no pipeline", async () => {
    const project = scene.project("none", two);
    project.git("rm", "-q", "touchmark.yaml");
    project.commit();
    expect(await codeOf(scene.run(project))).toBe("PIPELINE_MISSING");
    project.git("checkout", "-q", "HEAD~1", "--", "touchmark.yaml");
    project.commit();
    writeFileSync(join(project.directory, "other"), pipelineFile("none", two));
    project.git("rm", "-q", "--cached", "touchmark.yaml");
    rmSync(join(project.directory, "touchmark.yaml"));
    symlinkSync("other", join(project.directory, "touchmark.yaml"));
    expect(await codeOf(scene.run(project, { insecureWorkingTree: true }))).toBe("PIPELINE_MISSING");
  });

  test("R5: trigger and source are logged before the first step's statements, each names its predecessors", async () => {
    const project = scene.project("order", two, { "hello.txt": "x\n" });
    const done = await scene.run(project);
    const record = await scene.factory.runs.get(done.run);
    const indexOf = (kind: string) =>
      record.bundles.filter((row) => row.predicateType.split("/").at(-2) === kind).map((row) => row.logIndex as number);
    const [trigger = 0] = indexOf("trigger");
    const [source = 0] = indexOf("source");
    expect(trigger).toBeLessThan(source);
    expect(Math.min(...indexOf("link"))).toBeGreaterThan(source);
    const release = await only(done.run, "release");
    const listed = (release.predicate["bundles"] as unknown as { digest: string }[]).map((row) => row.digest);
    const place = record.bundles.findIndex(({ digest }) => digest === release.bundle);
    expect(listed).toEqual(record.bundles.slice(0, place).map((row) => row.digest));
    expect(record.bundles.slice(place + 1).map((row) => row.predicateType)).toEqual([
      "https://slsa.dev/verification_summary/v1",
    ]);
    const [, second] = await statementsOf(scene, done.run, "link");
    if (second === undefined) throw new Error("the second step has no link");
    const names = (second.predicate["touchmark_chain"] as unknown as { predecessors: { name: string }[] }).predecessors;
    expect(names.map((row) => row.name)).toEqual(["trigger", "source", "node", "step/make/link"]);
  });

  test("R7, R8: the user's network settings reach no step, a fetch step has the proxy's alone, and no secret becomes evidence", async () => {
    const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    const project = scene.project(
      "variables",
      `
  parameters:
    channel: { type: string, default: "stable" }
  steps:
    get:
      run: env | sort > "$TOUCHMARK_OUTPUT/env"
      inputs: { source: /work/source }
      network: fetch
    build:
      run: env | sort > "$TOUCHMARK_OUTPUT/env"
      inputs: { source: /work/source }
      environment: { API_TOKEN: "hunter2", PLAIN: "seen", CHANNEL: "\${{ parameters.channel }}", MIRROR: "https://user:pw@mirror.example.org/x" }
  artifacts:
    got: { from: get, path: env, kind: file }
    built: { from: build, path: env, kind: file }
`,
    );
    const environment = {
      HTTPS_PROXY: "http://user:pw@proxy.example.org:8080",
      npm_config_cafile: "/etc/ca.pem",
      AWS_SECRET: secret,
      HOME: "/root",
    };
    const done = await scene.run(project, { environment, parameters: { channel: "$(touch /tmp/x); beta" } });
    const [got = "", built = ""] = done.artifacts.map((artifact) =>
      readFileSync(scene.factory.content.path(artifact.digest), "utf8"),
    );
    expect(got).toMatch(/^HTTPS_PROXY=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(got).toContain("SSL_CERT_FILE=/run/touchmark/materials/authority.pem");
    expect(got + built).not.toContain(secret);
    expect(got + built).not.toMatch(/user:pw@proxy|ca\.pem$/m);
    expect(built).not.toMatch(/PROXY|SSL_CERT/);
    // A parameter is data: an environment value, never a piece of a script.
    expect(built).toContain("CHANNEL=$(touch /tmp/x); beta");
    expect(built).toContain("TOUCHMARK_PARAM_CHANNEL=$(touch /tmp/x); beta");
    const all = JSON.stringify(
      await scene.statements((await scene.factory.runs.get(done.run)).bundles.map((row) => row.digest)),
    );
    for (const hidden of ["hunter2", "user:pw", secret]) expect(all).not.toContain(hidden);
    const [environmentOf] = await statementsOf(scene, done.run, "environment");
    expect(environmentOf?.predicate["variables"]).toContainEqual({
      step: "build",
      values: {
        CHANNEL: "$(touch /tmp/x); beta",
        MIRROR: "https://mirror.example.org/x",
        PLAIN: "seen",
        TOUCHMARK_PARAM_CHANNEL: "$(touch /tmp/x); beta",
      },
      withheld: ["API_TOKEN"],
    });
  });

  test("R14: an open network, which only a step without a sandbox has, is named everywhere; nothing from it is hermetic", async () => {
    const project = scene.project(
      "open",
      `
  steps:
    get: { run: echo got > "$TOUCHMARK_OUTPUT/f", inputs: { source: /work/source }, network: fetch, insecure-process: true }
    use: { run: cp /work/get/f "$TOUCHMARK_OUTPUT/f", inputs: { get: /work/get } }
  artifacts:
    f: { from: use, path: f, kind: file }
`,
    );
    const first = await scene.run(project, { insecureProcess: true });
    expect(first.events).toContainEqual({ type: "step-started", step: "get", network: "fetch", unsealed: true });
    const [provenance] = await statementsOf(scene, first.run, "provenance");
    const text = JSON.stringify(provenance?.predicate);
    expect(text).toContain('"hermetic":false');
    expect(text).toContain('"openNetwork":["get"]');
    const second = await scene.run(project, { insecureProcess: true });
    expect(second.steps.map((step) => step.cached)).toEqual([false, true]);
    const { chain } = await verifyArtifact(scene.factory, {
      digest: second.artifacts[0]?.digest as `sha256:${string}`,
    });
    expect(chain.hermetic).toBe(false);
    expect(chain.notChecked).toContain("what came through the open network of get");
    await expect(
      verifyArtifact(scene.factory, { digest: chain.artifact.digest }, { require: ["hermetic"] }),
    ).rejects.toMatchObject({ code: "CHAIN_NOT_HERMETIC" });
  });

  test("R9: a failed command is a result: its evidence is signed, nothing after it starts, nothing is released", async () => {
    const project = scene.project(
      "failing",
      `
  steps:
    bad: { run: 'echo before; echo oops >&2; echo x > "$TOUCHMARK_OUTPUT/part"; exit 3', inputs: { source: /work/source } }
    after: { run: exit 0, inputs: { bad: /work/bad } }
  artifacts:
    x: { from: bad, path: part, kind: file }
`,
    );
    const done = await scene.run(project);
    expect(done.status).toBe("failed");
    expect(done.artifacts).toEqual([]);
    const [bad, after] = done.steps;
    expect([bad?.exitCode, bad?.outcome, bad?.lastLines]).toEqual([3, "failed", ["before", "oops"]]);
    expect(bad?.touched?.written).toContain("/work/output/part");
    expect(after?.status).toBe("skipped");
    expect(bad?.bundles).toHaveLength(5);
    const [link] = await statementsOf(scene, done.run, "link");
    expect(link?.predicate["byproducts"]).toMatchObject({ "return-value": 3 });
    expect(await statementsOf(scene, done.run, "release")).toEqual([]);
    expect(await statementsOf(scene, done.run, "provenance")).toEqual([]);
    // A failure is never remembered as a result.
    expect((await scene.run(project)).steps[0]?.cached).toBe(false);
  });

  test("R9: limits end a step by name", async () => {
    const project = scene.project(
      "limits",
      `
  steps:
    slow: { run: sleep 60, inputs: { source: /work/source }, limits: { time: 1s } }
    big: { run: head -c 5000000 /dev/zero > "$TOUCHMARK_OUTPUT/big", inputs: { source: /work/source }, limits: { output: 1MiB } }
`,
    );
    const done = await scene.run(project);
    expect(done.steps.map((step) => [step.status, step.outcome])).toEqual([
      ["failed", "timed-out"],
      ["failed", "output-limit"],
    ]);
  });

  test("R4: an artifact that is not there, or not of its kind, is refused; a directory becomes a deterministic tar", async () => {
    const body = (path: string, kind: string) => `
  steps:
    make: { run: 'mkdir -p "$TOUCHMARK_OUTPUT/d"; echo 1 > "$TOUCHMARK_OUTPUT/d/f"; ln -s f "$TOUCHMARK_OUTPUT/d/l"', inputs: { source: /work/source } }
  artifacts:
    a: { from: make, path: ${path}, kind: ${kind} }
`;
    const project = scene.project("kinds", body("none", "file"));
    const attempt = async (path: string, kind: string) => {
      project.write({ "touchmark.yaml": pipelineFile("kinds", body(path, kind)) });
      project.commit();
      return scene.run(project);
    };
    const codes = [];
    for (const [path, kind] of [
      ["none", "file"],
      ["d", "file"],
      ["d/l", "file"],
      ["d/f", "directory"],
      ["none", "directory"],
    ] as const) {
      const { status, error, artifacts } = await attempt(path, kind);
      codes.push([status, error?.code, artifacts.length]);
    }
    const mismatch = ["refused", "ARTIFACT_KIND_MISMATCH", 0];
    const absent = ["refused", "ARTIFACT_MISSING", 0];
    expect(codes).toEqual([absent, mismatch, mismatch, mismatch, absent]);
    const one = await attempt("d", "directory");
    const two = await scene.run(project, { cache: false });
    expect(one.status).toBe("succeeded");
    expect(two.artifacts[0]?.digest).toBe(one.artifacts[0]?.digest);
    const listing = readFileSync(scene.factory.content.path(one.artifacts[0]?.digest as `sha256:${string}`)).toString(
      "latin1",
    );
    expect(listing.slice(257, 262)).toBe("ustar");
  });

  test("R9: a step without a sandbox runs only when the caller allows it, and the evidence says so", async () => {
    const project = scene.project(
      "bare",
      `
  steps:
    bare: { run: id -u > "$TOUCHMARK_OUTPUT/id", inputs: { source: /work/source }, insecure-process: true }
  artifacts:
    id: { from: bare, path: id, kind: file }
`,
    );
    expect(await codeOf(scene.run(project))).toBe("PROCESS_NOT_ALLOWED");
    const done = await scene.run(project, { insecureProcess: true });
    expect([done.status, done.steps[0]?.isolation]).toEqual(["succeeded", "process"]);
    const [provenance] = await statementsOf(scene, done.run, "provenance");
    expect(JSON.stringify(provenance?.predicate)).toContain("insecure-process");
    expect(JSON.stringify(provenance?.predicate)).toContain('"hermetic":false');
    expect((await scene.run(project, { insecureProcess: true })).steps[0]?.cached).toBe(false);
  });
});
