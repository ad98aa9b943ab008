import { constants } from "node:os";
import type { DigestCache } from "./digest-cache.ts";
import { FileHasher, fileRecords } from "./file-records.ts";
import { MountMap } from "./mount-map.ts";
import type { Coverage, Observation, ObservedProcess, ObservedStep, ObserverTier } from "./observation.ts";
import { StepRecorder } from "./step-recorder.ts";
import { readTrace } from "./trace-log.ts";
import { displayName } from "./trace-text.ts";

/** A trace on disk and what belongs to it. */
export interface FinishedTrace {
  readonly tier: ObserverTier;
  readonly log: string;
  readonly overLimit: boolean;
  readonly privileged: boolean;
  readonly step: ObservedStep;
  readonly digests: DigestCache;
}

const coverage: Coverage = {
  processes: "complete",
  opens: "by-descriptor",
  names: "by-argument",
  executables: "by-argument",
  network: "attempts",
  refusedCalls: "complete",
  notCovered: [
    "metadata calls (stat, access, readlink, chmod, chown, utime, extended attributes)",
    "bytes read and written through a descriptor once it is open",
    "addresses and program names as the kernel resolved them (they are the arguments of the call)",
  ],
};

/** Reads a trace and relates it to the host's files. */
export async function observe(trace: FinishedTrace): Promise<Observation> {
  const mounts = new MountMap(trace.step);
  const recorder = new StepRecorder(trace.step.command, mounts.linkBefore, trace.privileged);
  const { losses } = recorder;
  const read = await readTrace(trace.log, (line) => recorder.line(line));
  if (trace.overLimit) losses.add("TRACE_LIMIT", "the trace grew beyond its limit");
  else if (read.bytes === 0) losses.add("TRACE_MISSING", "there is no trace");
  if (read.cut) losses.add("LINE_CUT", "the last line has no end");
  if (trace.step.refusedRecorded === false)
    losses.add("REFUSALS_UNRECORDED", "the sandbox's filter answered without a record");
  recorder.close();
  const hasher = new FileHasher(mounts, trace.digests, losses);
  const files = fileRecords(recorder, mounts, hasher, trace.step);
  const processes = processRecords(recorder, hasher);
  checkExit(recorder, trace.step);
  return {
    tier: trace.tier,
    complete: losses.complete,
    losses: losses.list(),
    coverage,
    processes,
    files,
    network: recorder.network.list(),
    refused: [
      ...recorder.refused,
      ...(trace.step.refused ?? []).map(({ call, pid, errno, count }) => ({ call, pid, count, answer: errno })),
    ],
    events: {
      lines: recorder.lines,
      opens: recorder.opens,
      failedOpens: recorder.failedOpens,
      processes: recorder.processes.count,
    },
    log: read.log,
  };
}

function processRecords(recorder: StepRecorder, hasher: FileHasher): ObservedProcess[] {
  return recorder.processes.runs.map((run) => {
    const found = run.base === undefined ? undefined : hasher.file(run.base, true);
    if (run.base !== undefined && found === undefined)
      recorder.losses.add("EXECUTABLE_UNKNOWN", `process ${run.pid} executed ${run.executable}, which was not there`);
    return {
      pid: run.pid,
      parent: run.parent,
      executable: run.executable,
      executableBy: run.executableBy,
      digest: found?.file.digest,
      argv: run.argv,
      argvTruncated: run.argvTruncated,
      directory: displayName(run.directory ?? "unknown"),
      exit: run.exit,
    };
  });
}

/** The worker and the trace must tell the same end of the step's own process. */
function checkExit(recorder: StepRecorder, step: ObservedStep): void {
  const said = step.exit;
  if (said === undefined || (said.exitCode === null && said.signal === null)) return;
  const { started, runs } = recorder.processes;
  if (started === undefined) return;
  const seen = runs.findLast((run) => run.pid === started && run.exit !== undefined && !("replaced" in run.exit))?.exit;
  const number = said.signal === null ? undefined : signalNumber(said.signal);
  const agrees =
    seen !== undefined &&
    ("code" in seen
      ? seen.code === said.exitCode || (number !== undefined && seen.code === 128 + number)
      : "signal" in seen && (seen.signal === said.signal || said.exitCode === 128 + (signalNumber(seen.signal) ?? -1)));
  if (!agrees)
    recorder.losses.add(
      "EXIT_MISMATCH",
      `the worker says ${JSON.stringify({ exitCode: said.exitCode, signal: said.signal })}, the trace ${JSON.stringify(seen ?? null)}`,
    );
}

function signalNumber(name: string): number | undefined {
  return Object.entries(constants.signals).find(([signal]) => signal === name)?.[1];
}
