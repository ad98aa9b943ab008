import type { StepJob } from "./job.ts";
import type { Degradation, IsolationTier, StepResult, WorkerBackend } from "./result.ts";

/** Runs one step, once. */
export interface Worker {
  /** What this host can isolate, found by trying it. Cached for the life of the worker. */
  probe(): Promise<WorkerProbe>;
  /** Runs the job and resolves when nothing of it is left alive; rejects only when the sandbox could not be made. */
  run(job: StepJob): Promise<StepResult>;
  /** The same sandbox with the caller's terminal; resolves to the exit code. Signs nothing, keeps nothing. */
  shell?(job: StepJob): Promise<number>;
  /** Ends what still runs and frees what the worker holds. */
  close?(): Promise<void>;
}

/** Answer of `probe`. */
export interface WorkerProbe {
  readonly backend: WorkerBackend;
  readonly backendVersion: string | null;
  /** Null when no step can run at all. */
  readonly tier: IsolationTier | null;
  readonly degraded: readonly Degradation[];
  /** What is missing, why it matters, and the exact command or setting that gives it. */
  readonly missing: readonly { readonly name: string; readonly why: string; readonly remedy: string }[];
  /** What was tried, for people: cgroup version, overlay, recording of refused calls. */
  readonly facts: Readonly<Record<string, string>>;
}
