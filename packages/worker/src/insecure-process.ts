import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { join } from "node:path";
import { measureUsage } from "./disk-usage.ts";
import { workerErrors } from "./errors.ts";
import type { StepJob } from "./job.ts";
import { checkJob } from "./job-check.ts";
import { processTree, startTime } from "./process-facts.ts";
import type { StepResult } from "./result.ts";
import { stepConstants } from "./sandbox-options.ts";
import { resolveToolchains } from "./toolchains.ts";
import { watchStep } from "./watch.ts";
import type { Worker } from "./worker.ts";

/** Settings of the backend without a sandbox. */
export interface InsecureProcessSettings {
  readonly stateDirectory: string;
  /** Must be true: a caller says by it that the user asked for this backend by name. */
  readonly asked: boolean;
}

/**
 * Runs steps as plain processes of the caller: no isolation at all, only limits in time, bytes and environment. For
 * hosts without namespaces, when the user asks for it (SPEC W12); its evidence says `process` and `NO_SANDBOX`.
 * Paths inside are host paths: `$TOUCHMARK_INPUT_<n>` names each input, `$TOUCHMARK_OUTPUT` the output.
 */
export function insecureProcessWorker(settings: InsecureProcessSettings): Worker {
  if (!settings.asked) {
    throw workerErrors.make("INSECURE_NOT_ASKED", "expected the insecure backend to be asked for by name");
  }
  return {
    probe: async () => ({
      backend: "insecure-process",
      backendVersion: process.version,
      tier: "process",
      degraded: [{ code: "NO_SANDBOX", detail: "steps run as plain processes of the factory's own user" }],
      missing: [],
      facts: {},
    }),
    run: (job) => runProcess(settings, job),
  };
}

async function runProcess(settings: InsecureProcessSettings, job: StepJob): Promise<StepResult> {
  const began = performance.now();
  checkJob(job);
  if (job.network === "proxy" || (job.provided ?? []).length > 0) {
    throw workerErrors.make("JOB_INVALID", "expected no bridge and nothing provided without a sandbox, found one");
  }
  if (job.rootfs !== undefined) {
    throw workerErrors.make("WORKER_IMAGE_UNSUPPORTED", "expected no image without a sandbox, found one");
  }
  const scratch = mkdtempSync(join(settings.stateDirectory, "process-"));
  try {
    const places = place(job, scratch);
    const toolchains = resolveToolchains(job.view.toolchains);
    const constants = {
      ...stepConstants(job, toolchains.path),
      ...toolchains.environment,
      HOME: scratch,
      TOUCHMARK_OUTPUT: job.output.host,
    };
    const inputs = Object.fromEntries(places.map((input, index) => [`TOUCHMARK_INPUT_${index}`, input.host]));
    const [program = "", ...words] = job.tracer?.wrap(job.command) ?? job.command;
    const child = spawn(program, words, {
      cwd: translate(job.directory, places, job.output),
      env: { ...constants, ...inputs, ...job.environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    return await follow(job, child, constants, began);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Where each input stands on the host; a copy-on-write one is a copy. */
function place(job: StepJob, scratch: string): { at: string; host: string }[] {
  return job.mounts.map((mount, index) => {
    if (mount.access === "read-only") return { at: mount.at, host: mount.host };
    const host = join(scratch, `input${index}`);
    cpSync(mount.host, host, { recursive: true, verbatimSymlinks: true });
    return { at: mount.at, host };
  });
}

function translate(path: string, places: readonly { at: string; host: string }[], output: StepJob["output"]): string {
  const found = [...places, output]
    .filter(({ at }) => path === at || path.startsWith(`${at}/`))
    .sort((a, b) => b.at.length - a.at.length)[0];
  return found === undefined ? path : found.host + path.slice(found.at.length);
}

async function follow(
  job: StepJob,
  child: ChildProcess,
  constants: Readonly<Record<string, string>>,
  began: number,
): Promise<StepResult> {
  const pid = child.pid ?? 0;
  const first = { pid, startTime: startTime(pid) ?? "" };
  let logBytes = 0;
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.on("data", (chunk: Buffer) => {
      const room = Math.max(0, job.limits.logBytes - logBytes);
      logBytes += chunk.length;
      if (room > 0) job.onOutput?.(chunk.subarray(0, room), stream);
    });
  }
  const watch = watchStep({
    group: null,
    directories: [job.output.host],
    limits: job.limits,
    sandbox: () => pid,
    onBreach: () => {
      for (const one of processTree(pid)) killQuietly(one);
      killQuietly(-pid);
    },
  });
  const abort = (): void => watch.report("cancelled");
  if (job.signal?.aborted) abort();
  job.signal?.addEventListener("abort", abort, { once: true });
  try {
    const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once("error", (cause) =>
        reject(
          workerErrors.make("SANDBOX_FAILED", `expected to start ${job.command[0]}, found ${cause.message}`, { cause }),
        ),
      );
      child.once("exit", (code, name) => {
        // What it left behind holds the log open; only its process group can be found.
        killQuietly(-pid);
        resolve([code, name]);
      });
    });
    const bytes = (await measureUsage(job.output.host)).bytes;
    const ended = exitCode === 0 ? "succeeded" : "failed";
    return {
      exitCode: exitCode ?? (signal === null ? null : 128 + (osConstants.signals[signal as NodeJS.Signals] ?? 0)),
      signal,
      outcome: watch.breach() ?? (bytes > job.limits.outputBytes ? "output-limit" : ended),
      durationMs: performance.now() - began,
      evidence: {
        backend: "insecure-process",
        backendVersion: process.version,
        tier: "process",
        namespaces: {},
        process: first,
        user: { inside: process.getuid?.() ?? 0, host: process.getuid?.() ?? 0, hostGroup: process.getgid?.() ?? 0 },
        cgroup: null,
        peakMemoryBytes: null,
        seccomp: null,
        network: "open",
        bridge: null,
        mounts: [],
        constants,
        limits: { ...job.limits },
        degraded: [{ code: "NO_SANDBOX", detail: "asked for by the user: a plain process without isolation" }],
      },
      refused: [],
      logBytes,
      truncated: logBytes > job.limits.logBytes,
    };
  } finally {
    watch.stop();
    job.signal?.removeEventListener("abort", abort);
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
