import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingForRuns, openScene, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "../fixture.ts";

const missing = missingForRuns();
let scene: Scene;
let artifact: string;
let source: string;

const pipeline = `
  steps:
    make: { run: 'echo deploy > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;
const policy = (point: string, expression: string) =>
  JSON.stringify({
    ...{ touchmark: "policy/v1", name: `test-${point}`, version: 1, expires: "2099-01-01T00:00:00Z", point },
    rules: [{ id: "rule", title: "The rule of the test", expression }],
  });

describe.skipIf(missing !== null)(`deployments${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const at = (words: readonly string[]) => {
    const environment = { ...process.env, XDG_CONFIG_HOME: join(scene.directory, "own") };
    return say(words, { directory: scene.directory, environment });
  };
  const deploy = (...words: string[]) => at(["deploy", artifact, ...words]);

  beforeAll(async () => {
    scene = await openScene();
    process.env["TOUCHMARK_HOME"] = scene.home;
    source = scene.project("app", pipeline).directory;
    const done = await say(["run", "--source", source, "--json"]);
    artifact = join(scene.directory, "app.txt");
    copyFileSync(JSON.parse(done.out).artifacts[0].path, artifact);
    mkdirSync(join(scene.home, "policy"), { recursive: true });
    writeFileSync(join(scene.home, "policy", "environments.yaml"), "environments: [staging, production]\n");
  });
  afterAll(async () => {
    delete process.env["TOUCHMARK_HOME"];
    await scene.close();
  });

  test("X66: deploy goes through the environments in order, and says what it signed", async () => {
    const early = await deploy("--environment", "production");
    expect([early.code, early.err]).toEqual([3, expect.stringContaining("GATE_ENVIRONMENT_ORDER")]);
    const staging = await deploy("--environment", "staging", "--json", "--out", "deployment.json");
    expect([staging.code, staging.err]).toEqual([0, ""]);
    const identity = expect.stringMatching(/^spiffe:\/\/.+\/environment\/staging$/);
    expect(JSON.parse(staging.out)).toMatchObject({ environment: "staging", deployment: { identity } });
    expect(existsSync(join(scene.directory, "deployment.json"))).toBe(true);
    expect((await at(["user", "add", "ada", "--role", "operator"])).code).toBe(0);
    const production = await deploy("--environment", "production", "--as", "ada");
    expect([production.code, production.out]).toEqual([0, expect.stringContaining("/environment/production")]);
  });

  test("X66: a policy of the command line decides in place of the home's, and refuses with its reason", async () => {
    const file = join(scene.directory, "deploy.json");
    writeFileSync(file, policy("deploy", "request.caller.kind == 'person'"));
    const refused = await deploy("--environment", "staging", "--policy", file);
    expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("test-deploy rule")]);
    expect((await deploy("--environment", "staging", "--policy", file, "--as", "ada", "--renew")).code).toBe(3);
    writeFileSync(join(scene.directory, "publish.json"), policy("publish", "chain.steps.size() == 1"));
    const both = ["--policy", file, "--policy", join(scene.directory, "publish.json")];
    const renewed = await deploy("--environment", "staging", ...both, "--as", "ada", "--renew");
    expect([renewed.code, renewed.err]).toEqual([0, ""]);
  });

  test("X66: what is missing on the command line is exit 2", async () => {
    expect((await deploy()).code).toBe(2);
    expect((await deploy("--environment", "moon")).code).toBe(2);
  });

  test("X67: run --policy decides by these files alone", async () => {
    const file = join(scene.directory, "request.json");
    writeFileSync(file, policy("request", "request.caller.kind == 'service'"));
    const words = ["run", "--source", source, "--policy", file, "--json"];
    const done = await at(words);
    expect(done.code).toBe(3);
    expect(JSON.parse(done.out)).toMatchObject({ status: "refused", error: { code: "GATE_REFUSED" } });
  });

  test("X68: export --vsa writes envelope and key, and only when asked for that key by name", async () => {
    expect((await at(["export", artifact, "--vsa", "vsa.json"])).code).toBe(2);
    const done = await at(["export", artifact, "--vsa", "vsa.json", "--compatibility-key"]);
    expect([done.code, done.err]).toEqual([0, expect.stringContaining("slsa-verifier verify-vsa")]);
    const envelope = JSON.parse(readFileSync(join(scene.directory, "vsa.json"), "utf8"));
    expect(envelope).toMatchObject({ payloadType: "application/vnd.in-toto+json", signatures: [{}] });
    expect(readFileSync(join(scene.directory, "vsa.json.pub.pem"), "utf8")).toContain("BEGIN PUBLIC KEY");
    const json = await at(["export", artifact, "--vsa", "vsa.json", "--compatibility-key", "--json"]);
    expect(JSON.parse(json.out).levels).toContain("TOUCHMARK_CHAIN");
  });
});
