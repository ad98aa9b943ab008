import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingForRuns, openScene, type Project, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "../../fixture.ts";
import { policyTable } from "../policy.ts";

const missing = missingForRuns();
let scene: Scene;
let project: Project;
let first: { readonly run: string; readonly artifacts: readonly { readonly digest: string }[] };

const body = (script: string, more = "") => `
  steps:
    prepare: { run: 'cp /work/source/a.txt "$TOUCHMARK_OUTPUT/a.txt"', inputs: { source: /work/source } }
    build: { run: '${script}', inputs: { prepare: /work/prepare } }${more}
  artifacts:
    scale: { from: build, path: scale.txt, kind: file }
`;
const good = 'cat /work/prepare/a.txt > "$TOUCHMARK_OUTPUT/scale.txt"';
const tell = (...words: string[]) => say(["policy", ...words], { directory: scene.directory });
const run = async () => JSON.parse((await say(["run", "--source", project.directory, "--json"])).out);
const written = (name: string) => readFileSync(join(scene.directory, name), "utf8");

test("X74: every subcommand has help with examples", async () => {
  for (const { name } of policyTable) {
    const said = await say(["policy", name, "--help"]);
    expect([name, said.code]).toEqual([name, 0]);
    expect(said.out).toMatch(/Examples:\n {2}touchmark policy/);
  }
});

describe.skipIf(missing !== null)(`policies of a real run${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    process.env["TOUCHMARK_HOME"] = scene.home;
    project = scene.project("scale", body(good), { "a.txt": "hello\n" });
    first = await run();
    const made = await tell("init", "--from-run", "latest", "--level", "moderate");
    expect([made.code, made.err]).toEqual([0, expect.stringContaining("next:")]);
  });
  afterAll(async () => {
    delete process.env["TOUCHMARK_HOME"];
    await scene.close();
  });

  test("X74: init --from-run writes a layout, five policies and their tests, and replaces none of them unasked", async () => {
    expect(written("policies/layout.yaml")).toContain("functionaries:\n  step_prepare:\n");
    for (const point of ["request", "dependency", "step", "publish", "deploy"]) {
      expect(written(`policies/${point}.yaml`)).toContain(`name: scale-${point}\n`);
    }
    expect(written("policies/publish-next.yaml")).toContain("mode: warn\n");
    expect(await tell("init", "--from-run", "latest")).toMatchObject({
      code: 2,
      err: expect.stringContaining("CLI_FILE_EXISTS"),
    });
    const asJson = JSON.parse((await tell("init", "--from-run", first.run, "--json")).out);
    expect(Object.keys(asJson.files)).toContain("layout.yaml");
    writeFileSync(join(scene.directory, "taken"), "");
    expect(await tell("init", "taken/policies")).toMatchObject({
      code: 2,
      err: expect.stringContaining("CLI_FILE_UNWRITABLE"),
    });
  });

  test("X74: init takes a level or a collection of the library, and names what no rule can judge yet", async () => {
    const high = await tell("init", "--level", "high", "high");
    expect([high.code, high.err]).toEqual([
      0,
      expect.stringContaining("no rule can judge use-the-update-framework yet"),
    ]);
    expect(written("high/publish.yaml")).toContain("collections:\n  - high\n");
    const hermetic = await tell("init", "--collection", "hermetic", "--expires", "2031-01-01", "hermetic");
    expect(hermetic.out.split("\n")).toContain("hermetic/step.yaml");
    expect(written("hermetic/deploy.yaml")).toContain('expires: "2031-01-01T00:00:00Z"');
    expect((await tell("init", "plain")).out.trim().split("\n")).toHaveLength(5);
    const unknown = await tell("init", "--collection", "slsa-l9");
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining("slsa-build-l3") });
    expect(await tell("init", "--from-run", "nothing")).toMatchObject({
      code: 2,
      err: expect.stringContaining("RUN_UNKNOWN"),
    });
  });

  test("X75: the tests beside the derived policies pass; a wrong expectation is told, with exit 1", async () => {
    const files = ["policies/publish.policy-test.yaml", "policies/deploy.policy-test.yaml"];
    expect(await tell("test", ...files)).toMatchObject({ code: 0, out: expect.stringContaining("12 cases, 0 failed") });
    const text = written(files[0] ?? "").replace("decision: allow", "decision: deny");
    writeFileSync(join(scene.directory, "policies/wrong.policy-test.yaml"), text);
    const wrong = await tell("test", "policies/wrong.policy-test.yaml");
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining("expected the decision deny, found allow") });
    const { failed, files: reports } = JSON.parse(
      (await tell("test", "--json", "policies/wrong.policy-test.yaml")).out,
    );
    expect([failed, reports[0].cases[0].decision.stated]).toEqual([1, true]);
    expect(await tell("test", "policies/publish.yaml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("POLICY_DOCUMENT_KIND"),
    });
    expect(await tell("test", "absent.yaml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("CLI_FILE_UNREADABLE"),
    });
  });

  test("X76: explain shows a recorded decision, by latest, digest, file or artifact, as tree, Markdown or JSON", async () => {
    const digest = first.artifacts[0]?.digest ?? "";
    const latest = await tell("explain", "latest");
    expect(latest).toMatchObject({ code: 0, out: expect.stringMatching(/^allow .* at the point publish/) });
    expect((await tell("explain", digest)).out).toBe(latest.out);
    expect((await tell("explain", digest, "--format", "markdown")).out).toContain("touchmark-default-publish");
    const decision = JSON.parse((await tell("explain", "latest", "--json")).out);
    expect(decision).toMatchObject({ touchmark: "decision/v1", result: "allow", subject: { digest } });
    const strict = written("policies/publish.yaml").replace("default: scale", "default: other");
    writeFileSync(join(scene.directory, "policies/strict.yaml"), strict);
    const denied = await tell("explain", digest, "--point", "publish", "--policy", "policies/strict.yaml");
    expect(denied).toMatchObject({ code: 3, out: expect.stringContaining('chain.project is "scale"') });
    expect((await tell("explain", digest, "--point", "publish", "--policy", "policies/publish.yaml")).code).toBe(0);
    expect((await tell("explain", digest, "--at", "2040-01-01", "--policy", "policies/deploy.yaml")).out).toContain(
      "POLICY_EXPIRED",
    );
    expect(await tell("explain", "nothing-here")).toMatchObject({ code: 2, err: expect.stringContaining("CLI_USAGE") });
    expect(await tell("explain", digest, "--point", "lunch")).toMatchObject({ code: 2 });
  });

  test("X77: replay flips nothing by what the run suggests, and lists what a candidate would have decided otherwise", async () => {
    const same = await tell("replay", "policies/request.yaml", "policies/step.yaml", "policies/publish.yaml");
    expect(same).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^4 decisions replayed, 0 flipped; 0 at other points, 0 not/m),
    });
    expect((await tell("replay", "policies/publish.yaml", "--all")).out).toMatch(/^allow .* publish {2}scale/);
    const late = await tell("replay", "policies/publish.yaml", "--at", "2040-01-01");
    expect(late).toMatchObject({ code: 1, out: expect.stringMatching(/^allow -> deny[\s\S]*\+ POLICY_EXPIRED/) });
    const { replayed, flipped, passedOver } = JSON.parse((await tell("replay", "policies/publish.yaml", "--json")).out);
    expect([replayed, flipped, passedOver]).toEqual([1, 0, 3]);
    expect(await tell("replay", "policies/layout.yaml")).toMatchObject({
      code: 2,
      err: expect.stringContaining("CLI_USAGE"),
    });
    mkdirSync(join(scene.directory, "records"), { recursive: true });
    const none = await tell("replay", "policies/publish.yaml", "--decisions", "records");
    expect(none).toMatchObject({ code: 0, out: expect.stringContaining("0 decisions replayed") });
    expect(await tell("replay", "policies/publish.yaml", "--decisions", "absent")).toMatchObject({ code: 2 });
  });

  test("X78: diff says what another version means, with exit 1 when it means something else", async () => {
    const wider = written("policies/publish.yaml").replace(/expires: .*/, 'expires: "2040-01-01T00:00:00Z"');
    writeFileSync(join(scene.directory, "policies/wider.yaml"), wider);
    const changed = await tell("diff", "policies/publish.yaml", "policies/wider.yaml");
    expect(changed).toMatchObject({ code: 1, out: expect.stringContaining("looser  expires: ") });
    expect(await tell("diff", "policies/publish.yaml", "policies/publish.yaml")).toMatchObject({ code: 0, out: "" });
    expect(await tell("diff", "policies/layout.yaml", "policies/layout.yaml")).toMatchObject({ code: 0 });
    expect(await tell("diff", "policies/publish.yaml", "policies/layout.yaml")).toMatchObject({ code: 2 });
    rmSync(join(scene.directory, "policies/wider.yaml"));
  });

  test("X77: a pipeline that was tampered with passes the built-in policies, and flips by those of the good run", async () => {
    const extra = "\n    extra: { run: 'echo x > \"$TOUCHMARK_OUTPUT/x\"', inputs: { source: /work/source } }";
    project.write({
      "touchmark.yaml": `touchmark: pipeline/v1\nproject: scale\npipelines:\n  default:${body(`echo evil; ${good}`, extra).replaceAll("\n", "\n  ")}`,
    });
    project.commit("tampered");
    const second = await run();
    expect(second.status).toBe("succeeded");
    const replayed = await tell("replay", "policies/publish.yaml");
    expect(replayed).toMatchObject({ code: 1, out: expect.stringContaining("POLICY_RULE_FAILED run.steps steps: ") });
    const why = await tell(
      "explain",
      second.artifacts[0].digest,
      "--point",
      "publish",
      "--policy",
      "policies/publish.yaml",
    );
    expect(why).toMatchObject({ code: 3, out: expect.stringContaining('step.name is "extra"') });
  });
});

test("X79: init --template writes a template of the library for this directory, and names those there are", async () => {
  const { mkdtempSync, realpathSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const directory = join(realpathSync(mkdtempSync(join(tmpdir(), "touchmark-template-"))), "my shop");
  mkdirSync(directory);
  const shown = await say(["init", "--template", "go-program", "--json"], { directory });
  expect(JSON.parse(shown.out)).toMatchObject({
    yaml: expect.stringContaining("project: my-shop\n"),
    languages: ["go-program"],
  });
  const unknown = await say(["init", "--template", "cobol"], { directory });
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining("node-package") });
  rmSync(join(directory, ".."), { recursive: true });
});
