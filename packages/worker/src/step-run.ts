import { closeSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { measureUsage } from "./disk-usage.ts";
import { workerErrors } from "./errors.ts";
import { heldDuties } from "./held-duties.ts";
import type { StepJob } from "./job.ts";
import type { LogPipe } from "./log-pipes.ts";
import { missingProgramCode } from "./oci-runtime-process.ts";
import type { BridgeFacts, SandboxEvidence, StepOutcome, StepResult } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { assertDead, type HeldFacts, type SandboxProcess, startSandbox } from "./sandbox-process.ts";
import { makeStepSandbox, type StepSandbox } from "./step-sandbox.ts";
import { inside } from "./system-view.ts";
import { type Watch, watchStep } from "./watch.ts";

/** What the log pipes brought. */
interface StepLog {
  bytes: number;
  truncated: boolean;
  /** First bytes of standard error, for the message when no step was ever started. */
  complaint: string;
}

/** Runs one job in a sandbox of its own (SPEC W2): made, held, measured, started, watched, dead, measured again. */
export async function runStep(host: SandboxHost, job: StepJob): Promise<StepResult> {
  const began = performance.now();
  const sandbox = await makeStepSandbox(host, job, false);
  try {
    return await carryOut(host, job, sandbox, began);
  } finally {
    await sandbox.dispose();
  }
}

async function carryOut(host: SandboxHost, job: StepJob, sandbox: StepSandbox, began: number): Promise<StepResult> {
  const log: StepLog = { bytes: 0, truncated: false, complaint: "" };
  const pipes = [
    host.pipes.open(sandbox.user.user, sandbox.user.group),
    host.pipes.open(sandbox.user.user, sandbox.user.group),
  ] as const;
  const drained = Promise.all([drain(pipes[0], "stdout", job, log), drain(pipes[1], "stderr", job, log)]);
  let process: SandboxProcess;
  const duties = heldDuties(host, job, sandbox);
  try {
    const standard = ["ignore", pipes[0].write, pipes[1].write] as const;
    process = startSandbox(sandbox, host, standard, true, duties.prepare, duties.announce);
  } finally {
    // Our copies of the writing ends would keep the log open.
    for (const pipe of pipes) closeSync(pipe.write);
  }
  const watch = watchStep({
    group: sandbox.group,
    directories: [job.output.host, ...sandbox.plan.writable],
    limits: job.limits,
    sandbox: () => process.held()?.pid ?? null,
    onBreach: () => {
      process.kill();
      // A tracer gets a moment to finish its record of a dead step, then everything goes.
      setTimeout(process.killOutermost, 2000).unref();
    },
  });
  const abort = (): void => watch.report("cancelled");
  if (job.signal?.aborted) abort();
  job.signal?.addEventListener("abort", abort, { once: true });
  try {
    let exitCode = await process.exit;
    watch.stop();
    const held = process.held();
    await duties.close();
    await assertDead(sandbox, held);
    await drained;
    const refusals = host.recorder
      ? await host.recorder.finish(sandbox.token, sandbox.filter)
      : { calls: [], complete: false };
    const failure = process.failure();
    if (failure !== null) throw failure.cause;
    const stopped = watch.breach() !== null || (sandbox.group?.events().outOfMemory ?? 0) > 0;
    // A runtime looks for the program before the container stands.
    const missing = held === null && host.runtime !== null ? missingProgramCode(log.complaint) : null;
    exitCode ??= missing;
    if (!stopped && ((held === null && missing === null) || exitCode === null)) {
      throw workerErrors.make("SANDBOX_FAILED", `expected a sandbox, found: ${log.complaint.trim() || "no answer"}`);
    }
    return await conclude({ host, job, sandbox, watch, held, exitCode, refusals, log, began, bridge: duties.facts() });
  } finally {
    await duties.close();
    watch.stop();
    job.signal?.removeEventListener("abort", abort);
  }
}

async function drain(pipe: LogPipe, stream: "stdout" | "stderr", job: StepJob, log: StepLog): Promise<void> {
  pipe.read.on("data", (chunk: Buffer) => {
    if (stream === "stderr" && log.complaint.length < 2000) log.complaint += chunk.toString("utf8", 0, 2000);
    const room = Math.max(0, job.limits.logBytes - log.bytes);
    log.bytes += chunk.length;
    if (chunk.length > room) log.truncated = true;
    if (room > 0) job.onOutput?.(chunk.length > room ? chunk.subarray(0, room) : chunk, stream);
  });
  await new Promise<void>((resolve) => pipe.read.once("close", () => resolve()).once("error", () => {}));
  pipe.release();
}

interface Finished {
  readonly host: SandboxHost;
  readonly job: StepJob;
  readonly sandbox: StepSandbox;
  readonly watch: Watch;
  readonly held: HeldFacts | null;
  readonly exitCode: number | null;
  readonly refusals: { readonly calls: StepResult["refused"]; readonly complete: boolean };
  readonly log: StepLog;
  readonly began: number;
  readonly bridge: BridgeFacts | null;
}

async function conclude(run: Finished): Promise<StepResult> {
  const { host, job, sandbox } = run;
  const taker = host.root ? { user: 0, group: 0 } : "self";
  const output = await measureUsage(job.output.host, taker);
  let bytes = output.bytes;
  for (const directory of sandbox.plan.writable) bytes += (await measureUsage(directory)).bytes;
  const breach = run.watch.breach();
  const exitCode = breach === null ? run.exitCode : null;
  return {
    exitCode,
    signal: breach === null ? signalName(run.exitCode) : "SIGKILL",
    outcome: decide(run, bytes > job.limits.outputBytes || output.unreachable),
    durationMs: performance.now() - run.began,
    evidence: evidence(run),
    refused: run.refusals.calls,
    logBytes: run.log.bytes,
    truncated: run.log.truncated,
  };
}

/** A limit that was passed decides, even when the command ended well: an out-of-memory kill hides in a pipeline. */
function decide(run: Finished, overOutput: boolean): StepOutcome {
  const breach = run.watch.breach();
  if (breach === "cancelled" || breach === "timed-out") return breach;
  const events = run.sandbox.group?.events();
  // One file over the bound is stopped by the kernel before it can grow: the process gets SIGXFSZ.
  if (overOutput || signalName(run.exitCode) === "SIGXFSZ") return "output-limit";
  if (events !== undefined && events.outOfMemory > 0) return "out-of-memory";
  if (events !== undefined && events.processesRefused > 0) return "process-limit";
  return breach ?? (run.exitCode === 0 ? "succeeded" : "failed");
}

/** Name of the signal behind a code above 128, as shells and the sandbox program say it. */
function signalName(code: number | null): string | null {
  if (code === null || code <= 128) return null;
  return Object.entries(osConstants.signals).find(([, number]) => number === code - 128)?.[0] ?? null;
}

function evidence(run: Finished): SandboxEvidence {
  const { host, job, sandbox, held } = run;
  return {
    backend: host.runtime?.name ?? "bubblewrap",
    backendVersion: host.runtime?.version ?? host.bwrapVersion,
    tier: host.root ? "sandbox-own-user" : "sandbox-same-user",
    namespaces: held?.namespaces ?? {},
    process: { pid: held?.pid ?? 0, startTime: held?.began ?? "0" },
    user: { inside: inside.user, host: sandbox.user.user, hostGroup: sandbox.user.group },
    cgroup: sandbox.group && { version: sandbox.group.version, paths: sandbox.group.paths },
    peakMemoryBytes: sandbox.group?.peakMemoryBytes() ?? null,
    seccomp: {
      digest: sandbox.filter.digest,
      architecture: sandbox.filter.architecture,
      recorded: host.recorder !== null && run.refusals.complete,
    },
    network: job.network,
    bridge: run.bridge,
    mounts: sandbox.rows,
    constants: sandbox.constants,
    limits: { ...job.limits, temporaryBytes: sandbox.temporaryBytes },
    degraded: sandbox.degraded,
  };
}
