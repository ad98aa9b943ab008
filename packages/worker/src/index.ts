export type { StepJob, StepLimits, StepMount, StepView, Tracer } from "./job.ts";
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
export type { Worker, WorkerProbe } from "./worker.ts";
