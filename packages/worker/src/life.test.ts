import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { bubblewrapWorker } from "./bubblewrap.ts";
import type { ControlGroup } from "./control-group.ts";
import { openBench } from "./fixture.ts";
import { insecureProcessWorker } from "./insecure-process.ts";
import { isAlive, startTime } from "./process-facts.ts";
import { reclaim, scratchName } from "./reclaim.ts";
import { assertDead } from "./sandbox-process.ts";

/** Host processes whose command line holds a mark. */
function marked(mark: string): number[] {
  const found = spawnSync("pgrep", ["-f", mark], { encoding: "utf8" }).stdout;
  return found.split("\n").filter(Boolean).map(Number);
}

const group = (members: number[]): ControlGroup => ({
  version: 1,
  paths: [],
  controllers: [],
  joinFiles: [],
  add: () => {},
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

test("W12: without a sandbox there is no image either: WORKER_IMAGE_UNSUPPORTED", async () => {
  const bench = openBench(anyCaller);
  const worker = insecureProcessWorker({ stateDirectory: bench.make("process"), asked: true });
  const job = bench.job("true", { rootfs: { directory: bench.make("image") } });
  await expect(worker.run(job)).rejects.toMatchObject({ code: "WORKER_IMAGE_UNSUPPORTED" });
  await bench.close();
});

test("W11: a shell gets the same sandbox and its exit code comes back", async () => {
  const bench = openBench(anyCaller);
  const worker = bubblewrapWorker({ stateDirectory: bench.make("shell") });
  expect(await worker.shell(bench.job('test "$(id -u)" = 1001 && exit 9'))).toBe(9);
  await worker.close();
  await bench.close();
});
