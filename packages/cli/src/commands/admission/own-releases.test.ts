import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingForRuns, openScene, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "../../fixture.ts";

const missing = missingForRuns();
const pipeline = `
  steps:
    make: { run: 'echo own > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;

describe.skipIf(missing !== null)(`own releases${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let scene: Scene;
  let digest: string;
  let run: string;
  const tell = (...words: readonly string[]) => say(words, { directory: scene.directory });

  beforeAll(async () => {
    scene = await openScene();
    process.env["TOUCHMARK_HOME"] = scene.home;
    const { directory } = scene.project("app", pipeline);
    const done = JSON.parse((await tell("run", "--source", directory, "--json")).out);
    ({ run } = done);
    digest = done.artifacts[0].digest;
  });
  afterAll(async () => {
    await scene.close();
    delete process.env["TOUCHMARK_HOME"];
  });

  test("X83: what this factory released would be admitted again, until a policy of then denies it", async () => {
    const now = await tell("admission", "rescan", "--own", "--json");
    expect([now.code, JSON.parse(now.out)]).toMatchObject([
      0,
      { looked: 1, denied: 0, verdicts: [{ digest, result: "allow", where: `app/app of run ${run}` }] },
    ]);
    const path = join(scene.directory, "next.json");
    const rule = { id: "next", title: "Nothing of then", expression: 'now < timestamp("2030-01-01T00:00:00Z")' };
    const policy = { touchmark: "policy/v1", name: "next", version: 1, expires: "2099-01-01T00:00:00Z" };
    writeFileSync(path, JSON.stringify({ ...policy, point: "deploy", rules: [rule] }));
    expect((await tell("admission", "rescan", "--own", "--policy", path)).code).toBe(0);
    const then = await tell("admission", "rescan", "--own", "--policy", path, "--at", "2031-01-01");
    expect([then.code, then.out]).toEqual([3, expect.stringContaining("0 would be admitted, 1 no longer")]);
    expect(then.out).toContain(`denied ${digest} (app/app of run ${run})`);
  });

  test("X80: rules of `admit` know who asks, by the kernel", async () => {
    const path = join(scene.directory, "caller.json");
    const rule = {
      ...{ id: "caller", title: "Somebody of this host" },
      expression: 'request.caller.kind == "local-user" && request.caller.authentication == "kernel"',
    };
    const policy = { touchmark: "policy/v1", name: "caller", version: 1, expires: "2099-01-01T00:00:00Z" };
    writeFileSync(path, JSON.stringify({ ...policy, point: "deploy", rules: [rule] }));
    expect((await tell("admit", digest, "--policy", path)).code).toBe(0);
    expect((await tell("admission", "rescan", "--own", "--policy", path)).code).toBe(3);
  });
});
