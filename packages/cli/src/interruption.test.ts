import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { missingForRuns, openScene, type Project, processesWith, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ended, program, start, until } from "./fixture.ts";

const missing = missingForRuns();
/** Stands in the command lines of the step's processes, and nowhere else. */
const mark = `touchmark-mark-${randomBytes(6).toString("hex")}`;

let scene: Scene;
let project: Project;

const body = `
  steps:
    quick: { run: echo quick > "$TOUCHMARK_OUTPUT/f", inputs: { source: /work/source } }
    slow:
      run: 'if [ -e /work/source/slow ]; then sh -c "sleep 61; : ${mark}" & (setsid sh -c "sleep 62; : ${mark}" &) ; echo waiting; sh -c "sleep 63; : ${mark}"; fi; cp /work/quick/f "$TOUCHMARK_OUTPUT/f"'
      inputs: { source: /work/source, quick: /work/quick }
  artifacts:
    f: { from: slow, path: f, kind: file }
`;

/** Starts a run whose second step hangs, and waits until it does. */
async function hanging(detached: boolean) {
  const child = start(scene.home, project.directory, ["run", "--json"], detached);
  const over = ended(child);
  await until(() => processesWith(mark).length >= 3);
  return { child, over };
}

async function nothingLeft(): Promise<void> {
  await until(() => processesWith(mark).length === 0, 5000);
  const groups = "/sys/fs/cgroup";
  const left = existsSync(groups)
    ? readdirSync(groups, { withFileTypes: true }).filter(
        (entry) => entry.name.startsWith("touchmark") && entry.isDirectory(),
      )
    : [];
  expect(left.length).toBeLessThanOrEqual(1);
}

/** Another command line, to its end. */
async function command(...words: string[]) {
  return ended(start(scene.home, project.directory, words));
}

describe.skipIf(missing !== null)(`interruptions${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    program();
    scene = await openScene();
    project = scene.project("interrupted", body, { slow: "" });
  });
  afterAll(() => scene.close());

  test("X8: Ctrl-C leaves no process and no half state; the next run resumes from the cache", async () => {
    // A process group of its own, as a shell gives a job: the key reaches every process in it, tracer and launcher too.
    const { child, over } = await hanging(true);
    process.kill(-(child.pid as number), "SIGINT");
    const said = await over;
    expect(said.code).toBe(130);
    await nothingLeft();
    const answer = JSON.parse(said.out);
    expect(answer.status).toBe("cancelled");
    expect(answer.steps.map((step: { name: string; status: string }) => `${step.name} ${step.status}`)).toEqual([
      "quick succeeded",
      "slow cancelled",
    ]);
    const runs = JSON.parse((await command("runs", "--json")).out);
    expect(runs[0].state).toBe("cancelled");
    expect((await command("log", "fsck")).code).toBe(0);
    expect(readdirSync(scene.factory.home.paths.work)).toEqual(["CACHEDIR.TAG"]);
    project.git("rm", "-q", "slow");
    project.commit();
    project.git("revert", "--no-edit", "HEAD");
    const { child: second, over: ending } = await hanging(true);
    process.kill(-(second.pid as number), "SIGINT");
    const again = JSON.parse((await ending).out);
    expect(again.steps[0]).toMatchObject({ name: "quick", cached: true });
  });

  test("X8: a termination signal ends a run as Ctrl-C does", async () => {
    const { child, over } = await hanging(false);
    child.kill("SIGTERM");
    expect((await over).code).toBe(130);
    await nothingLeft();
  });

  test("X9: after kill -9 nothing survives, the run is shown as interrupted, and the next command works", async () => {
    const { child, over } = await hanging(false);
    child.kill("SIGKILL");
    expect((await over).code).toBe("SIGKILL");
    await nothingLeft();
    const runs = JSON.parse((await command("runs", "--json")).out);
    expect(runs[0].state).toBe("interrupted");
    expect((await command("show", "latest")).out).toContain("interrupted");
    expect((await command("log", "fsck")).code).toBe(0);
    project.git("rm", "-q", "slow");
    project.commit();
    const next = await command("run", "--json");
    expect(next.code).toBe(0);
    expect((await command("verify", JSON.parse(next.out).artifacts[0].digest)).code).toBe(0);
    expect(readdirSync(scene.factory.home.paths.work)).toEqual(["CACHEDIR.TAG"]);
    expect(readdirSync(join(scene.home, "sandbox", "sandbox", "steps"))).toEqual([]);
  });

  test("X8: two runs share one home, also its very first", async () => {
    const other = await openScene();
    try {
      const projects = ["left", "right"].map((name) => other.project(name, body));
      const home = join(other.directory, "shared");
      const children = projects.map((each) => start(home, each.directory, ["run", "--json"]));
      const said = await Promise.all(children.map(ended));
      expect(said.map((each) => [each.code, each.code === 0 ? "" : each.err])).toEqual([
        [0, ""],
        [0, ""],
      ]);
      for (const each of said) {
        const { digest } = JSON.parse(each.out).artifacts[0];
        expect((await ended(start(home, other.directory, ["verify", digest]))).code).toBe(0);
      }
      expect((await ended(start(home, other.directory, ["log", "fsck"]))).code).toBe(0);
      const twins = projects
        .slice(0, 1)
        .flatMap((each) => [each, each])
        .map((each) => start(home, each.directory, ["run", "--json", "--no-cache"]));
      expect((await Promise.all(twins.map(ended))).map((each) => each.code)).toEqual([0, 0]);
    } finally {
      await other.close();
    }
  });

  const script = spawnSync("script", ["--version"], { stdio: "ignore" }).status === 0;
  test.skipIf(!script)(
    "X7, X8: on a terminal: colour, live lines, and the interrupt key belongs to a debug shell",
    async () => {
      const line = (words: string) => ["-qefc", `${process.execPath} ${program()} ${words}`, "/dev/null"];
      const terminal = (words: string, home = scene.home) =>
        spawn("script", line(words), {
          cwd: project.directory,
          env: { ...process.env, NO_COLOR: undefined, TERM: "xterm", TOUCHMARK_HOME: home },
          stdio: ["pipe", "pipe", "pipe"],
        });
      const shelled = scene.project("shelled", body);
      expect((await ended(start(scene.home, shelled.directory, ["run"]))).code).toBe(0);
      const coloured = await ended(terminal("verify sha256:00"));
      expect(coloured.out).toContain("\u001b[31minvalid\u001b[0m ARTIFACT_UNKNOWN");
      const shell = terminal("debug latest slow");
      let text = "";
      shell.stdout.on("data", (chunk) => {
        text += chunk;
      });
      const over = ended(shell);
      await until(() => text.includes("$ "));
      shell.stdin.write("echo ready-$((1+1))\n");
      await until(() => text.includes("ready-2"));
      // The key also empties the line: what follows is typed at the next prompt.
      for (const prompts of [2, 3]) {
        await until(() => text.split("$ ").length > prompts);
        shell.stdin.write("\u0003");
      }
      await until(() => text.split("$ ").length > 4);
      shell.stdin.write("echo still-$((2+2))\n");
      await until(() => text.includes("still-4"));
      shell.stdin.write("exit\n");
      await over;
    },
  );
});
