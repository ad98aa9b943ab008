import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingForRuns, openScene } from "@touchmark/pipeline/fixture";
import { afterAll, describe, expect, test } from "vitest";
import { program, say } from "../fixture.ts";
import { judge } from "./experiment.ts";
import { experiments, selfTest } from "./self-test.ts";

const missing = missingForRuns();
const place = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-selftests-")));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const refusal = (code: string) => expect.objectContaining({ code });

test("X90: an attempt holds when it failed by a refusal, and in no other way", () => {
  const [experiment] = experiments;
  if (experiment === undefined) throw new TypeError("there are no experiments");
  const outcome = (exitCode: number, words: string, passed: boolean) => judge(experiment, { exitCode, words, passed });
  expect(outcome(3, "refused PROCESS_NOT_ALLOWED: it", false)).toMatchObject({
    outcome: "held",
    detail: "PROCESS_NOT_ALLOWED",
  });
  expect(outcome(1, "step failed", false)).toMatchObject({ outcome: "held", detail: "exit 1" });
  expect(outcome(0, "succeeded", false)).toMatchObject({ outcome: "leaked" });
  expect(outcome(3, "refused", true)).toMatchObject({ outcome: "leaked" });
  expect(outcome(70, "bug BUG: TypeError", false)).toMatchObject({ outcome: "broken" });
});

test("X90: every experiment has a name of its own, and they can be listed", async () => {
  const listed = JSON.parse((await say(["selftest", "--list", "--json"])).out) as readonly { readonly id: string }[];
  expect(listed.map(({ id }) => id)).toEqual(experiments.map(({ id }) => id));
  expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
});

describe.skipIf(missing !== null)(`attacks on a pipeline${missing === null ? "" : ` (${missing})`}`, () => {
  const options = (location: string) => ({
    program: [program()],
    ...{ location, revision: "HEAD", pipeline: "default" },
    environment: process.env,
    signal: new AbortController().signal,
    onResult: () => undefined,
  });
  const pipeline = `
    steps:
      build:
        run: cp hello.txt "$TOUCHMARK_OUTPUT/out.txt"
        inputs: { source: /work/source }
    artifacts:
      out: { from: build, path: out.txt, kind: file }
`;

  test("X91: violations, missing components and altered evidence are refused, and the source is left as it was", async () => {
    const scene = await openScene();
    try {
      const project = scene.project("shop", pipeline, { "hello.txt": "hello\n" });
      const before = project.git("status", "--porcelain") + project.git("rev-parse", "HEAD");
      const only = [
        "network",
        "host-file",
        "unsealed",
        "foreign-host",
        "no-log",
        "no-identity",
        "altered-artifact",
        "missing-evidence",
      ];
      const report = await selfTest({ ...options(project.directory), only });
      expect(report.experiments.map(({ id, outcome, detail }) => [id, outcome, detail])).toEqual([
        ["network", "held", "exit 1"],
        ["host-file", "held", "exit 1"],
        ["foreign-host", "skipped", "no step fetches anything"],
        ["unsealed", "held", "PROCESS_NOT_ALLOWED"],
        ["no-log", "held", "LOG_ROLLED_BACK"],
        ["no-identity", "held", "IDENTITY_GONE"],
        ["altered-artifact", "held", "EVIDENCE_MISSING"],
        ["missing-evidence", "held", "EVIDENCE_MISSING"],
      ]);
      expect(report.outcome).toBe("passed");
      expect(project.git("status", "--porcelain") + project.git("rev-parse", "HEAD")).toBe(before);
    } finally {
      await scene.close();
    }
  }, 300_000);

  test("X92: a pipeline that releases nothing, no repository, and an unknown experiment are said", async () => {
    const scene = await openScene();
    try {
      const failing = scene.project("failing", pipeline.replace("cp hello.txt", "exit 7; cp hello.txt"), {
        "hello.txt": "",
      });
      await expect(selfTest({ ...options(failing.directory), only: ["network"] })).rejects.toThrow(
        refusal("SELFTEST_BASELINE"),
      );
      await expect(selfTest({ ...options(place), only: [] })).rejects.toThrow(refusal("SELFTEST_SOURCE"));
      await expect(selfTest({ ...options(place), only: ["nothing"] })).rejects.toThrow(refusal("SELFTEST_UNKNOWN"));
    } finally {
      await scene.close();
    }
  }, 120_000);
});
