import { existsSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProject, missingForRuns } from "@touchmark/pipeline/fixture";
import { removeTree } from "@touchmark/store";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { say } from "../../fixture.ts";

const missing = missingForRuns();
let directory = "";
let project = "";

const images = `
    steps:
      make:
        run: echo "#!/bin/sh" > "$TOUCHMARK_OUTPUT/run"
        limits: { time: 1m }
    artifacts:
      app: { image: { base: scratch, layers: [{ from: make, to: /app }], user: "1001", entrypoint: [/app/run] } }
      tool: { image: { base: scratch, layers: [{ from: make, to: /tool }], user: "1001" } }
      plain: { from: make, path: run, kind: file }
`;

describe.skipIf(missing !== null)(`image build${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-image-build-")));
    vi.stubEnv("TOUCHMARK_HOME", join(directory, "home"));
    project = makeProject(directory, "shop", images).directory;
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    removeTree(directory);
  });

  test("X42: image build names the images of a pipeline, and writes one elsewhere", async () => {
    const at = { directory: project };
    const built = await say(["image", "build"], at);
    expect(built.code).toBe(0);
    expect(built.out.trim().split("\n")).toEqual([
      expect.stringMatching(/^factory:shop\/app@sha256:[0-9a-f]{64} {2}app, /),
      expect.stringMatching(/^factory:shop\/tool@sha256:/),
    ]);
    const file = join(directory, "app.tar");
    const words = ["image", "build", "--image", "app", "--json", "--output", `docker-archive:${file}:app:1`];
    const one = await say(words, at);
    expect([one.code, existsSync(file)]).toEqual([0, true]);
    expect(one.out).toContain(built.out.split("@")[1]?.split(" ")[0] ?? "no digest");
    expect(await say(["image", "build", "--image", "none"], at)).toMatchObject({ code: 2 });
    expect((await say(["image", "build", "--output", "oci-dir:out"], at)).err).toContain("expected one image");
  });

  test("X43: publish sends what a run made to a repository, once", async () => {
    const at = { directory: project };
    const words = ["publish", "latest", "--artifact", "plain", "--to", "factory:out/plain", "--tag", "1"];
    const first = await say(words, at);
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^factory:out\/plain@sha256:[0-9a-f]{64}\n$/) });
    const again = await say([...words, "--json"], at);
    expect(JSON.parse(again.out)).toMatchObject([{ artifact: "plain", tags: ["1"], sent: 0 }]);
    const denying = join(directory, "denying.json");
    const document = { touchmark: "policy/v1", name: "nowhere", version: 1, expires: "2099-01-01T00:00:00Z" };
    const rules = [{ id: "out", title: "Nothing goes out", expression: "!request.target.startsWith('factory:out/')" }];
    writeFileSync(denying, JSON.stringify({ ...document, point: "publish", rules }));
    const refused = await say([...words, "--policy", denying], at);
    expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("GATE_REFUSED")]);
    expect(await say(["publish", "latest"], at)).toMatchObject({ code: 2 });
    expect((await say(["publish"], at)).err).toContain("expected a run or a digest");
  });
});
