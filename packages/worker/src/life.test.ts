import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { bubblewrapWorker } from "./bubblewrap.ts";
import type { ControlGroup } from "./control-group.ts";
import { type Caller, missingFor, openBench } from "./fixture.ts";
import { insecureProcessWorker } from "./insecure-process.ts";
import { isAlive, startTime } from "./process-facts.ts";
import { reclaim, scratchName } from "./reclaim.ts";
import { assertDead } from "./sandbox-process.ts";

const strace = spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;

/** Host processes whose command line holds a mark. */
function marked(mark: string): number[] {
  const found = spawnSync("pgrep", ["-f", mark], { encoding: "utf8" }).stdout;
  return found.split("\n").filter(Boolean).map(Number);
}

for (const caller of ["root", "user"] satisfies Caller[]) {
  const missing = missingFor(caller);
  describe.skipIf(missing !== null)(`as ${caller}${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
    const bench = openBench(caller);
    afterAll(() => bench.close());

    const traced = [false, ...(strace ? [true] : [])];
    test.each(traced)(
      "W10: SIGKILL of the factory kills the sandbox (traced: %s), and reclaim removes what is left",
      async (withTracer) => {
        const mark = `31${Date.now()}`;
        const program = fileURLToPath(new URL("./fixture-life.ts", import.meta.url));
        const source = bench.fill(`source-${withTracer}`, { a: "a" });
        const job = bench.job(`echo changed > /work/source/a; setsid sleep ${mark} & sleep ${mark}; wait`, {
          mounts: [{ host: source, at: "/work/source", access: "copy-on-write" }],
        });
        const state = bench.make(`state-${withTracer}`);
        const factory = spawn(process.execPath, [program, state, String(withTracer), JSON.stringify(job)], {
          ...bench.ids,
          stdio: ["ignore", "ignore", "inherit"],
          env: { PATH: process.env.PATH },
        });
        const sleepers = (): number => marked(`^sleep ${mark}$`).length;
        for (let i = 0; i < 400 && sleepers() < 2; i += 1) await sleep(50);
        const before = marked(mark);
        expect(sleepers()).toBe(2);
        factory.kill("SIGKILL");
        for (let i = 0; i < 200 && marked(mark).length > 0; i += 1) await sleep(20);
        expect(marked(mark)).toEqual([]);
        expect(before.every((pid) => !isAlive(pid, null))).toBe(true);
        const steps = join(state, "sandbox", "steps");
        expect(readdirSync(steps).length).toBe(1);
        expect(await reclaim(state)).toBeGreaterThanOrEqual(2);
        expect(readdirSync(steps)).toEqual([]);
        expect(readdirSync(join(state, "sandbox", "pipes"))).toEqual([]);
        if (caller === "root") {
          const held = (): boolean =>
            readdirSync("/run/touchmark/users").some((name) =>
              readFileSync(`/run/touchmark/users/${name}`, "utf8").startsWith(`${factory.pid} `),
            );
          // A user is in use until the last of its dead has been reaped.
          for (let i = 0; i < 100 && held(); i += 1) {
            await sleep(50);
            await reclaim(state);
          }
          expect(held()).toBe(false);
        }
      },
    );

    test("W10: a factory that is killed while a sandbox is being made leaves nothing that starts by itself", async () => {
      const program = fileURLToPath(new URL("./fixture-life.ts", import.meta.url));
      const marks = Array.from({ length: 12 }, (_, index) => `33${Date.now()}${index + 10}`);
      const state = bench.make("state-early");
      const killed = async (mark: string, afterMs: number): Promise<void> => {
        const words = [program, state, "false", JSON.stringify(bench.job(`sleep ${mark}`)), String(afterMs)];
        const factory = spawn(process.execPath, words, {
          ...bench.ids,
          stdio: "ignore",
          env: { PATH: process.env.PATH },
        });
        const [, signal] = await new Promise<[number, string]>((resolve) =>
          factory.once("exit", (...how) => resolve(how as [number, string])),
        );
        expect(signal).toBe("SIGKILL");
      };
      // A little later each time, over all that happens between the call and the command.
      for (let at = 0; at < marks.length; at += 3) {
        await Promise.all(marks.slice(at, at + 3).map((mark, index) => killed(mark, (at + index) * 4)));
      }
      const alive = (): number[] => marks.flatMap((mark) => marked(mark));
      for (let i = 0; i < 100 && alive().length > 0; i += 1) await sleep(50);
      // The command itself runs nowhere; the sandbox program may have left one process that waits for it.
      expect(marks.flatMap((mark) => marked(`^sleep ${mark}$`))).toEqual([]);
      await reclaim(state);
      for (let i = 0; i < 100 && alive().length > 0; i += 1) await sleep(20);
      expect(alive()).toEqual([]);
    }, 180_000);

    test("W2: a daemon that leaves its session and parent dies with the step", async () => {
      const mark = `32${Date.now()}`;
      const ran = await bench.run(
        bench.job(`(setsid sh -c 'setsid sleep ${mark} & sleep ${mark}' >/dev/null 2>&1 &) ; sleep 0.3; exit 0`),
      );
      expect(ran.outcome).toBe("succeeded");
      expect(marked(mark)).toEqual([]);
    });
  });
}

const group = (members: number[]): ControlGroup => ({
  version: 1,
  paths: [],
  controllers: [],
  joinFiles: [],
  events: () => ({ outOfMemory: 0, processesRefused: 0 }),
  peakMemoryBytes: () => null,
  members: () => members,
  empty: async () => members.length === 0,
  remove: async () => {},
});

test("W2: a survivor is an error of ours, never a result", async () => {
  const own = { pid: process.pid, began: startTime(process.pid) ?? "", namespaces: {} };
  await expect(assertDead({ group: group([4711]) }, null)).rejects.toMatchObject({ code: "SANDBOX_SURVIVOR" });
  await expect(assertDead({ group: null }, own)).rejects.toMatchObject({ code: "SANDBOX_SURVIVOR" });
  await expect(assertDead({ group: group([]) }, { ...own, began: "0" })).resolves.toBeUndefined();
});

const anyCaller = process.getuid?.() === 0 ? "root" : "user";

test("W10: reclaim ends a process that holds the log of a run that is gone, and no other", async () => {
  const bench = openBench(anyCaller);
  const state = bench.make("half-made");
  const sleeper = (run: string) => {
    const directory = join(state, "sandbox", "pipes", run);
    mkdirSync(directory, { recursive: true });
    const log = openSync(join(directory, "0"), "w");
    const child = spawn("/bin/sleep", ["60"], { stdio: ["ignore", log, "ignore"] });
    closeSync(log);
    return child;
  };
  const [gone, living] = [sleeper("1-0-dead"), sleeper(scratchName("live"))];
  const ended = new Promise((resolve) => gone.once("exit", (_, signal) => resolve(signal)));
  await reclaim(state);
  expect(await ended).toBe("SIGKILL");
  expect(isAlive(living.pid ?? 0, null)).toBe(true);
  living.kill("SIGKILL");
  await bench.close();
});

test("W2: a sandbox that cannot be set up is an error, not a failed step", async () => {
  const bench = openBench(anyCaller);
  const worker = bubblewrapWorker({ stateDirectory: bench.make("other"), programs: { bwrap: "/bin/true" } });
  await expect(worker.run(bench.job("true"))).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
  await worker.close();
  await bench.close();
});

test("W6: a recorder that was killed is started again for the next step", async () => {
  const bench = openBench(anyCaller);
  const state = bench.make("recorder");
  const worker = bubblewrapWorker({ stateDirectory: state });
  expect((await worker.run(bench.job("true"))).evidence.seccomp?.recorded).toBe(true);
  for (const pid of marked(`${state}/sandbox/refused`)) process.kill(pid, "SIGKILL");
  await sleep(100);
  expect((await worker.run(bench.job("true"))).evidence.seccomp?.recorded).toBe(true);
  await worker.close();
  for (let i = 0; i < 100 && marked(`${state}/sandbox/refused`).length > 0; i += 1) await sleep(20);
  expect(marked(`${state}/sandbox/refused`)).toEqual([]);
  await bench.close();
});

test("W6: calls of a step whose recorder is killed stay refused, and the evidence says that the record is not whole", async () => {
  const bench = openBench(anyCaller);
  const state = bench.make("recorder");
  const worker = bubblewrapWorker({ stateDirectory: state });
  const input = bench.make("input");
  const started = Promise.withResolvers<void>();
  const job = bench.job("echo up; until test -e /work/in/go; do sleep 0.05; done; unshare -U true && echo reached", {
    mounts: [{ host: input, at: "/work/in", access: "read-only" }],
    onOutput: () => started.resolve(),
  });
  const running = worker.run({ ...job, command: ["/bin/sh", "-c", `${job.command[2]}; exit 0`] });
  await started.promise;
  for (const pid of marked(`${state}/sandbox/refused`)) process.kill(pid, "SIGKILL");
  await sleep(100);
  writeFileSync(join(input, "go"), "");
  const ran = await running;
  expect([ran.outcome, ran.evidence.seccomp?.recorded]).toEqual(["succeeded", false]);
  expect(ran.logBytes).toBe("up\nunshare: unshare failed: Function not implemented\n".length);
  await worker.close();
  await bench.close();
});

test("W12: the backend without a sandbox must be asked for, and says what it is", async () => {
  const bench = openBench(anyCaller);
  const settings = { stateDirectory: bench.make("process") };
  expect(() => insecureProcessWorker({ ...settings, asked: false })).toThrow(
    expect.objectContaining({ code: "INSECURE_NOT_ASKED" }),
  );
  const worker = insecureProcessWorker({ ...settings, asked: true });
  expect((await worker.probe()).tier).toBe("process");
  const source = bench.fill("source", { a: "a\n" });
  let text = "";
  const job = bench.job("cat a; echo b > a; echo made > $TOUCHMARK_OUTPUT/x", {
    mounts: [{ host: source, at: "/work/source", access: "copy-on-write" }],
    directory: "/work/source",
    onOutput: (chunk) => {
      text += Buffer.from(chunk).toString();
    },
  });
  const ran = await worker.run(job);
  expect([ran.outcome, ran.evidence.tier, text]).toEqual(["succeeded", "process", "a\n"]);
  expect(ran.evidence.degraded.map((row) => row.code)).toEqual(["NO_SANDBOX"]);
  expect(existsSync(join(job.output.host, "x"))).toBe(true);
  const late = await worker.run(bench.job("sleep 60", { limits: { ...job.limits, seconds: 0.3 } }));
  expect(late.outcome).toBe("timed-out");
  await bench.close();
});

test("W11: a shell gets the same sandbox and its exit code comes back", async () => {
  const bench = openBench(anyCaller);
  const worker = bubblewrapWorker({ stateDirectory: bench.make("shell") });
  expect(await worker.shell(bench.job('test "$(id -u)" = 1001 && exit 9'))).toBe(9);
  await worker.close();
  await bench.close();
});
