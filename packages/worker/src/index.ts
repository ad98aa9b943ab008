export { type BubblewrapSettings, bubblewrapWorker } from "./bubblewrap.ts";
export { workerErrors } from "./errors.ts";
export { type InsecureProcessSettings, insecureProcessWorker } from "./insecure-process.ts";
export type { StepJob, StepLimits, StepMount, StepView, Tracer } from "./job.ts";
export { reclaim } from "./reclaim.ts";
export type {
  Degradation,
  DegradationCode,
  IsolationTier,
  MountRow,
  RefusedCall,
  SandboxEvidence,
  StepOutcome,
  StepResult,
} from "./result.ts";
export { generatedFiles } from "./system-view.ts";
export { toolchainNames } from "./toolchains.ts";
export type { Worker, WorkerProbe } from "./worker.ts";
