import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { fsckLog } from "@touchmark/log";
import { logVerifierKey, openFactory, verifyArtifact } from "@touchmark/pipeline";
import { missingForRuns, openScene, type Project, type Scene } from "@touchmark/pipeline/fixture";
import { fsck } from "@touchmark/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./fixture.ts";

const missing = missingForRuns();
/** Every point in CI; elsewhere an even sample, so that the suite stays short. */
const every = process.env["TOUCHMARK_CRASH"] === "all";
const SAMPLE = { kill: 6, full: 4 } as const;

/** Calls that change what is on the disk. Which of them occur differs between architectures. */
const calls =
  "write,pwrite64,pwritev,writev,fsync,fdatasync,ftruncate,?mkdir,mkdirat,?rename,renameat,renameat2,?link,linkat,?unlink,unlinkat,?rmdir";
const filling = /^(?:p?writev?(?:64)?|fsync|fdatasync|mkdir(?:at)?|rename(?:at2?)?|link(?:at)?)$/;

interface Point {
  readonly call: string;
  readonly when: number;
}

let scene: Scene;
let project: Project;
let kept: Digest;

const body = `
  steps:
    one: { run: cp text "$TOUCHMARK_OUTPUT/f"; echo said, inputs: { source: /work/source } }
    two: { run: cp /work/one/f "$TOUCHMARK_OUTPUT/g", inputs: { one: /work/one } }
  artifacts:
    g: { from: two, path: g, kind: file }
`;

/**
 * Runs the command with its main thread traced, which is the one that writes; steps and git are not followed, since
 * the observer traces them itself.
 */
function traced(home: string, options: readonly string[]): { out: string; err: string; trace: string } {
  const trace = `${home}.trace`;
  const words = [
    "-qq",
    "-y",
    "-s",
    "0",
    "-o",
    trace,
    ...options,
    process.execPath,
    program(),
    "run",
    "--json",
    "--jobs",
    "1",
  ];
  const { stdout, stderr } = spawnSync("strace", words, {
    cwd: project.directory,
    env: { ...process.env, TOUCHMARK_HOME: home },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { out: stdout, err: stderr, trace: readFileSync(trace, "utf8") };
}

/** The durable writes of a run: for each call that touches the home, which one of its kind it is. */
function enumerate(trace: string, home: string): Point[] {
  const counts = new Map<string, number>();
  const points: Point[] = [];
  for (const line of trace.split("\n")) {
    const match = /^([a-z0-9]+)\((.*)/.exec(line);
    if (match === null) continue;
    const [, call = "", rest = ""] = match;
    const when = (counts.get(call) ?? 0) + 1;
    counts.set(call, when);
    if (rest.includes(home)) points.push({ call, when });
  }
  return points;
}

function sample<T>(points: readonly T[], count: number): T[] {
  if (every || points.length <= count) return [...points];
  return Array.from({ length: count }, (_, i) => points[Math.floor(((i + 0.5) * points.length) / count)] as T);
}

function copy(label: string): string {
  const home = join(scene.directory, label);
  cpSync(scene.home, home, { recursive: true, preserveTimestamps: true });
  return home;
}

/** Nothing acknowledged is lost, nothing is half there, and the next command works. */
async function checkAfter(home: string, out: string): Promise<void> {
  const factory = await openFactory({ home });
  try {
    const acknowledged = out.trim() === "" ? [] : answered(out);
    for (const digest of [kept, ...acknowledged]) {
      expect((await verifyArtifact(factory, { digest })).chain.artifact.digest).toBe(digest);
    }
    await fsckLog(factory.home.paths.log, await logVerifierKey(factory));
    for (const run of await factory.runs.list()) expect(run.state).not.toBe("running");
    const { content, trees, runs } = factory;
    const report = await fsck(factory.home, { content, trees, runs });
    expect(report.findings).toEqual([]);
  } finally {
    await factory.close();
  }
  const next = spawnSync(process.execPath, [program(), "run", "--json"], {
    cwd: project.directory,
    env: { ...process.env, TOUCHMARK_HOME: home },
    encoding: "utf8",
  });
  expect([next.status, next.status === 0 ? "" : next.stdout + next.stderr]).toEqual([0, ""]);
  expect(readdirSync(join(home, "work"))).toEqual(["CACHEDIR.TAG"]);
}

/** Artifacts that a command said it had released. */
function answered(out: string): Digest[] {
  try {
    const answer = JSON.parse(out) as { artifacts?: readonly { digest: Digest }[] };
    return (answer.artifacts ?? []).map((artifact) => artifact.digest);
  } catch {
    // Killed in the middle of its answer: nothing was acknowledged whole.
    return [];
  }
}

describe.skipIf(missing !== null)(`crashes of a run${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let points: Point[];

  beforeAll(async () => {
    program();
    scene = await openScene();
    project = scene.project("crashing", body, { text: "first\n" });
    const done = await scene.run(project);
    kept = done.artifacts[0]?.digest as Digest;
    await scene.factory.close();
    // Another commit: both steps are performed again, and everything is written that a run writes.
    project.write({ text: "second\n" });
    project.commit();
    const clean = copy("clean");
    const { out, trace } = traced(clean, ["-e", `trace=${calls}`]);
    expect(answered(out)).toHaveLength(1);
    points = enumerate(trace, clean);
    expect(points.length).toBeGreaterThan(50);
  });
  afterAll(() => scene.close());

  test("X10: kill -9 at every durable write", { timeout: 1_800_000 }, async () => {
    const chosen = sample(points, SAMPLE.kill);
    let killed = 0;
    for (const [number, { call, when }] of chosen.entries()) {
      const home = copy(`kill-${number}`);
      const { out, trace } = traced(home, ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${when}`]);
      if (trace.includes("killed by SIGKILL")) killed++;
      await checkAfter(home, out);
      rmSync(home, { recursive: true, force: true });
    }
    console.log(`kill -9: ${points.length} durable writes, ${chosen.length} tried, ${killed} hit`);
    // The order of some calls depends on when children answer; nearly all must really have been hit.
    expect(killed).toBeGreaterThan(chosen.length * 0.8);
  });

  test("X10: a full disk at every durable write", { timeout: 1_800_000 }, async () => {
    const candidates = points.filter(({ call }) => filling.test(call));
    const chosen = sample(candidates, SAMPLE.full);
    const codes = new Map<string, number>();
    for (const [number, { call, when }] of chosen.entries()) {
      const home = copy(`full-${number}`);
      const { out, err, trace } = traced(home, [
        "-e",
        `trace=${call}`,
        "-e",
        `inject=${call}:error=ENOSPC:when=${when}`,
      ]);
      expect(err).not.toContain("BUG");
      // The order of some calls depends on when children answer: the full disk may meet the answer itself.
      const hit = trace.split("\n").find((line) => line.includes("(INJECTED)"));
      const isElsewhere = hit !== undefined && !hit.includes(home);
      const code = isElsewhere
        ? "elsewhere"
        : (/"code":\s*"([A-Z_]+)"/.exec(out)?.[1] ?? (answered(out).length > 0 ? "done" : "silence"));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      await checkAfter(home, out);
      rmSync(home, { recursive: true, force: true });
    }
    console.log(
      `full disk: ${candidates.length} durable writes, ${chosen.length} tried: ${JSON.stringify([...codes])}`,
    );
    expect(codes.has("silence")).toBe(false);
    // Nearly all must really have met the home.
    expect(codes.get("elsewhere") ?? 0).toBeLessThan(chosen.length / 2);
  });
});
