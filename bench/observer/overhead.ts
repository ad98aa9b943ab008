/**
 * What sandbox and observer cost: each workload bare, in the sandbox, and in the sandbox under observation (reading the
 * trace included), one after the other in one session, so that the ratios hold even where the times do not.
 * Usage: node bench/observer/overhead.ts [--runs N] [--size N] [--only NAME] [--json]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Observation, probeStrace, straceObserver } from "@touchmark/observer";
import { bubblewrapWorker, type StepJob } from "@touchmark/worker";
import { makeWorkloads, nodeDirectory, type Workload } from "./workloads.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    size: { type: "string", default: "200" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const scratch = mkdtempSync(join(tmpdir(), "touchmark-bench-observer-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const worker = bubblewrapWorker({ stateDirectory: join(scratch, "state") });

function newDirectory(): string {
  return mkdtempSync(join(scratch, "d"));
}

function runBare(workload: Workload): number {
  const output = newDirectory();
  const [program, ...args] = workload.command as [string, ...string[]];
  const start = performance.now();
  const ran = spawnSync(program, args, {
    cwd: workload.source,
    env: { ...process.env, TOUCHMARK_OUTPUT: output },
    stdio: "ignore",
  });
  const time = performance.now() - start;
  if (ran.status !== 0) throw new Error(`${workload.name}: the bare build ended with ${ran.status}`);
  rmSync(output, { recursive: true });
  return time;
}

async function runSandboxed(
  workload: Workload,
  observed: boolean,
): Promise<{ time: number; finish: number; seen?: Observation }> {
  const output = { host: newDirectory(), at: "/work/output" };
  const traceDirectory = newDirectory();
  const mounts = [{ host: workload.source, at: "/work/source", access: "read-only" as const }];
  const start = performance.now();
  const observer = observed
    ? await straceObserver({ traceDirectory, digestCache: join(scratch, "digests") })
    : undefined;
  const job: StepJob = {
    id: `bench.${workload.name}`,
    command: workload.command,
    directory: "/work/source",
    environment: {},
    mounts,
    output,
    view: { toolchains: nodeDirectory.startsWith("/usr") ? [] : [nodeDirectory] },
    network: "none",
    limits: { memoryBytes: 4 * 2 ** 30, pids: 512, seconds: 600, outputBytes: 4 * 2 ** 30, logBytes: 1 << 20 },
    sourceDateEpoch: 0,
    ...(observer === undefined ? {} : { tracer: observer.tracer }),
  };
  const result = await worker.run(job);
  if (result.outcome !== "succeeded") throw new Error(`${workload.name}: the sandboxed build ${result.outcome}`);
  const ended = performance.now();
  const seen = await observer?.finish({
    command: workload.command,
    mounts,
    output,
    view: result.evidence.mounts.flatMap(({ source: host, at, kind }) =>
      host !== null && ["system", "toolchain", "generated"].includes(kind) ? [{ host, at }] : [],
    ),
    exit: result,
    refused: result.refused,
    refusedRecorded: result.evidence.seccomp?.recorded ?? false,
  });
  const end = performance.now();
  rmSync(output.host, { recursive: true });
  rmSync(traceDirectory, { recursive: true });
  return { time: end - start, finish: end - ended, ...(seen === undefined ? {} : { seen }) };
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;
const round = (number: number) => Math.round(number * 100) / 100;

mkdirSync(join(scratch, "work"));
const rows = [];
for (const workload of makeWorkloads(join(scratch, "work"), Number(values.size))) {
  if (values.only !== undefined && values.only !== workload.name) continue;
  const runs = workload.name === "true" ? Math.max(15, Number(values.runs)) : Number(values.runs);
  const times = { bare: [] as number[], sandbox: [] as number[], observed: [] as number[], finish: [] as number[] };
  let seen: Observation | undefined;
  runBare(workload);
  for (let i = 0; i < runs; i++) {
    times.bare.push(runBare(workload));
    times.sandbox.push((await runSandboxed(workload, false)).time);
    const observed = await runSandboxed(workload, true);
    times.observed.push(observed.time);
    times.finish.push(observed.finish);
    seen = observed.seen;
  }
  const [bare, sandbox, observed] = [median(times.bare), median(times.sandbox), median(times.observed)];
  rows.push({
    workload: workload.name,
    runs,
    bareMs: round(bare),
    sandboxMs: round(sandbox),
    observedMs: round(observed),
    readingMs: round(median(times.finish)),
    sandboxRatio: round(sandbox / bare),
    observedRatio: round(observed / bare),
    observedRatioOfMinima: round(Math.min(...times.observed) / Math.min(...times.bare)),
    lines: seen?.events.lines,
    traceBytes: seen?.log?.uncompressedBytes,
    complete: seen?.complete,
    losses: seen?.losses,
  });
}
await worker.close?.();
const probe = await probeStrace();
if (values.json) console.log(JSON.stringify({ strace: probe, rows }));
else {
  console.log(`strace ${probe.version ?? "?"}, tier ${probe.tier}; medians, milliseconds`);
  console.table(rows.map(({ losses, ...row }) => row));
  for (const row of rows) if (row.losses?.length) console.log(row.workload, row.losses);
}
