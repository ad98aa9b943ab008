import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeProject, missingForRuns } from "@touchmark/pipeline/fixture";
import { removeTree } from "@touchmark/store";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { say } from "../../fixture.ts";
import { leftFlaw } from "../scan.fixture.ts";

const missing = missingForRuns();
const pipeline = `
    steps:
      pack: { run: cp -r vendor "$TOUCHMARK_OUTPUT/app", inputs: { source: /work/source } }
    artifacts:
      app: { from: pack, path: app, kind: directory }
`;
const files = {
  "vendor/node_modules/left/package.json": JSON.stringify({ name: "left", version: "1.2.0", license: "MIT" }),
};

describe.skipIf(missing !== null)(`advisories watch${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let directory = "";
  const tell = (...words: readonly string[]) => say(words, { directory });
  const give = (...records: readonly object[]) => {
    writeFileSync(join(directory, "feed.json"), JSON.stringify(records));
    return tell("advisories", "import", "feed.json");
  };
  beforeAll(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-watch-")));
    vi.stubEnv("TOUCHMARK_HOME", join(directory, "home"));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    removeTree(directory);
  });

  test("X57: without data, and with words that are none, it is exit 2", async () => {
    expect(await tell("advisories", "watch", "--every", "soon")).toMatchObject({
      ...{ code: 2, err: expect.stringContaining("--every like 1h") },
    });
    const project = makeProject(directory, "shop", pipeline, files).directory;
    expect((await say(["run"], { directory: project })).code).toBe(0);
    const blind = await tell("advisories", "watch");
    expect([blind.code, blind.err]).toEqual([2, expect.stringContaining("ADVISORY_DATABASE_MISSING")]);
  });

  test("X57: what appears in a released artifact is shown and signed once; what does not concern it is not matched", async () => {
    const elsewhere = {
      ...leftFlaw,
      id: "GHSA-x",
      aliases: [],
      affected: [{ ...leftFlaw.affected[0], package: { ecosystem: "npm", name: "x" } }],
    };
    expect((await give(elsewhere)).code).toBe(0);
    const quiet = await tell("advisories", "watch");
    expect(quiet).toMatchObject({ code: 0, out: "1 artifacts with an SBOM, 1 matched again, 1 results signed\n" });
    await give(elsewhere, leftFlaw);
    const silent = await tell("advisories", "watch", "--no-attest", "--json");
    expect(JSON.parse(silent.out)).toMatchObject([
      { name: "app", scanned: "part", appeared: [{ id: "CVE-2026-1001" }] },
    ]);
    const again = await tell("advisories", "watch");
    expect(again.out).toBe("1 artifacts with an SBOM, 0 matched again, 0 results signed\n");
  });

  test("X57: it ends with 3 when the rules of the home would refuse an artifact now", async () => {
    const rules = join(directory, "home", "scan.yaml");
    writeFileSync(rules, "touchmark: scan/v1\ngate: { vulnerabilities: { refuse: high } }\n");
    const { code, out } = await tell("advisories", "watch");
    expect([code, out]).toEqual([3, expect.stringContaining("refused")]);
    rmSync(rules);
    expect((await tell("advisories", "watch")).code).toBe(0);
  });

  test("X57: it goes on looking until it is told to stop", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    const { code, out } = await say(["advisories", "watch", "--every", "1h"], { directory, signal: controller.signal });
    expect([code, out.match(/artifacts with an SBOM/g)?.length]).toEqual([0, 1]);
  });
});
