import { type Clock, rfc3339 } from "@touchmark/core";
import type { Selector } from "@touchmark/formats/predicates";
import { identityErrors } from "./errors.ts";
import { holdProcess, type ProcessFacts, type ProcessHold, parentOf, startTimeOf } from "./process-facts.ts";

/** Attests processes that this one started (ARCHITECTURE, "Interfaces"). Never asks the process itself. */
export interface WorkloadAttestor {
  /**
   * Reads the kernel's facts of a process.
   * @throws WORKLOAD_UNSUPPORTED | WORKLOAD_GONE | WORKLOAD_NOT_OURS | WORKLOAD_UNREADABLE
   */
  attest(pid: number): AttestedWorkload;
}

/** A process whose facts were read, held so that its number cannot come to mean another. */
export interface AttestedWorkload {
  readonly pid: number;
  /** RFC 3339. */
  readonly attestedAt: string;
  readonly selectors: readonly Selector[];
  /**
   * Reads the facts again and compares them; call it before anything is issued.
   * @throws WORKLOAD_GONE | WORKLOAD_PID_REUSED | WORKLOAD_EXECUTABLE_CHANGED | WORKLOAD_CHANGED
   */
  confirm(): void;
  /**
   * Said by the parent when it has reaped the process: its last confirmed facts then stand, because nobody can be that
   * process any more. Confirms nothing by itself: a workload that was never confirmed while it ran stays gone.
   */
  ended(): void;
}

/** The attestor of this host (Linux). `owner` is the process whose descendants count; default: this one. */
export function kernelWorkloadAttestor(options: { readonly clock: Clock; readonly owner?: number }): WorkloadAttestor {
  const owner = options.owner ?? process.pid;
  return {
    attest(pid) {
      if (process.platform !== "linux") {
        throw identityErrors.make("WORKLOAD_UNSUPPORTED", `expected Linux, found ${process.platform}`);
      }
      const hold = take(pid);
      try {
        checkDescent(pid, owner);
        return attested(hold, readFacts(hold), rfc3339(options.clock.now()));
      } catch (cause) {
        hold.release();
        throw cause;
      }
    },
  };
}

function attested(hold: ProcessHold, first: ProcessFacts, attestedAt: string): AttestedWorkload {
  let state: "running" | "confirmed" | "ended" = "running";
  return {
    pid: hold.pid,
    attestedAt,
    selectors: selectorsOf(first),
    confirm() {
      if (state === "ended") return;
      compare(first, readFacts(hold, first.startTime));
      state = "confirmed";
    },
    ended() {
      if (state === "confirmed") state = "ended";
      hold.release();
    },
  };
}

/** The selectors of a process: each is the kernel's word, none the process's. */
export function selectorsOf(facts: ProcessFacts): readonly Selector[] {
  const fact = (type: string, value: string | number): Selector => ({ type, value: String(value), label: "kernel" });
  return [
    fact("pid", facts.pid),
    fact("start-time", facts.startTime),
    fact("pid-namespace", facts.pidNamespace),
    fact("uid", facts.uid),
    fact("gid", facts.gid),
    fact("cgroup", facts.cgroup),
    fact("executable", facts.executable),
    fact("executable-digest", facts.executableDigest),
  ];
}

function take(pid: number): ProcessHold {
  try {
    return holdProcess(pid);
  } catch (cause) {
    throw identityErrors.make("WORKLOAD_GONE", `process ${pid} is not there`, { cause });
  }
}

function readFacts(hold: ProcessHold, startTime?: string): ProcessFacts {
  try {
    return hold.read();
  } catch (cause) {
    if (["EACCES", "EPERM"].includes((cause as NodeJS.ErrnoException).code ?? "")) {
      throw identityErrors.make("WORKLOAD_UNREADABLE", `the kernel does not show process ${hold.pid} to us`, { cause });
    }
    const now = startTimeOf(hold.pid);
    if (startTime !== undefined && now !== undefined && now !== startTime) {
      throw identityErrors.make(
        "WORKLOAD_PID_REUSED",
        `process ${hold.pid} started at ${startTime}; the one that has the number now started at ${now}`,
        { cause },
      );
    }
    throw identityErrors.make("WORKLOAD_GONE", `process ${hold.pid} has ended`, { cause });
  }
}

function checkDescent(pid: number, owner: number): void {
  for (let at: number | undefined = pid, steps = 0; at !== undefined && at > 0 && steps < 64; steps++) {
    at = parentOf(at);
    if (at === owner) return;
  }
  throw identityErrors.make("WORKLOAD_NOT_OURS", `process ${pid} is no descendant of process ${owner}`);
}

function compare(before: ProcessFacts, now: ProcessFacts): void {
  if (now.startTime !== before.startTime) {
    throw identityErrors.make(
      "WORKLOAD_PID_REUSED",
      `process ${before.pid} started at ${before.startTime}, found ${now.startTime}`,
    );
  }
  if (now.executableDigest !== before.executableDigest || now.executable !== before.executable) {
    throw identityErrors.make(
      "WORKLOAD_EXECUTABLE_CHANGED",
      `expected ${before.executable} (${before.executableDigest}), found ${now.executable} (${now.executableDigest})`,
    );
  }
  for (const fact of ["uid", "gid", "pidNamespace", "cgroup"] as const) {
    if (now[fact] !== before[fact]) {
      throw identityErrors.make("WORKLOAD_CHANGED", `expected ${fact} ${before[fact]}, found ${now[fact]}`);
    }
  }
}
