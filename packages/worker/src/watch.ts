import type { ControlGroup } from "./control-group.ts";
import { measureUsage } from "./disk-usage.ts";
import type { StepLimits } from "./job.ts";
import { processTree, proportionalBytes, residentBytes } from "./process-facts.ts";
import type { StepOutcome } from "./result.ts";

/** Why a running step must end. */
export type Breach = Exclude<StepOutcome, "succeeded" | "failed">;

/** What is watched while a step runs. */
export interface WatchTargets {
  readonly group: ControlGroup | null;
  /** Output and private copies. */
  readonly directories: readonly string[];
  readonly limits: StepLimits;
  /** First process of the sandbox, once it is known. */
  sandbox(): number | null;
  /** Called once, at the first breach. */
  onBreach(breach: Breach): void;
}

/** A running watch. */
export interface Watch {
  /** Records a breach from outside: a cancelled step. */
  report(breach: Breach): void;
  stop(): void;
  breach(): Breach | null;
}

const tickMs = 100;

/** Watches limits that the kernel does not end by itself, or ends one process at a time (SPEC W8). */
export function watchStep(targets: WatchTargets): Watch {
  let breach: Breach | null = null;
  let measuring = false;
  let nextMeasure = 0;
  const report = (found: Breach): void => {
    if (breach !== null) return;
    breach = found;
    targets.onBreach(found);
  };
  const deadline = setTimeout(() => report("timed-out"), Math.min(targets.limits.seconds * 1000, 0x7fffffff));
  const measure = async (): Promise<void> => {
    measuring = true;
    const began = performance.now();
    let bytes = 0;
    for (const directory of targets.directories) bytes += (await measureUsage(directory)).bytes;
    if (bytes > targets.limits.outputBytes) report("output-limit");
    // Counting may cost a twentieth of the time, however large the output grows.
    nextMeasure = performance.now() + Math.max(2 * tickMs, 20 * (performance.now() - began));
    measuring = false;
  };
  const tick = (): void => {
    const events = targets.group?.events();
    const has = (name: "memory" | "pids"): boolean => targets.group?.controllers.includes(name) ?? false;
    if (events && events.outOfMemory > 0) report("out-of-memory");
    if (events && events.processesRefused > 0) report("process-limit");
    const sandbox = targets.sandbox();
    if (sandbox !== null && !has("memory")) {
      // Shared pages count for each owner in the cheap sum: only when that is too high is the exact one worth its price.
      const sum = (measure: (pid: number) => number): number =>
        processTree(sandbox).reduce((bytes, pid) => bytes + measure(pid), 0);
      const limit = targets.limits.memoryBytes;
      if (sum(residentBytes) > limit && sum(proportionalBytes) > limit) report("out-of-memory");
    }
    if (!measuring && performance.now() >= nextMeasure) void measure();
  };
  nextMeasure = performance.now() + 2 * tickMs;
  const timer = setInterval(tick, tickMs);
  return {
    report,
    breach: () => breach,
    stop: () => {
      clearTimeout(deadline);
      clearInterval(timer);
    },
  };
}
