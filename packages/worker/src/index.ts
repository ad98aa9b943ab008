export { type BubblewrapSettings, bubblewrapWorker } from "./bubblewrap.ts";
export {
  backendWorker,
  type ChosenWorker,
  type ChosenWorkerSettings,
  chosenWorker,
  type SandboxBackend,
  sandboxBackends,
  type WorkerChoice,
} from "./chosen-worker.ts";
export { workerErrors } from "./errors.ts";
export { type InsecureProcessSettings, insecureProcessWorker } from "./insecure-process.ts";
export type {
  HeldStep,
  ProvidedFile,
  StepBridge,
  StepJob,
  StepLimits,
  StepMount,
  StepNetwork,
  StepRootfs,
  StepView,
  Tracer,
} from "./job.ts";
export { type OciRuntimeSettings, ociRuntimeWorker } from "./oci-runtime.ts";
export { reclaim } from "./reclaim.ts";
export type {
  BridgeFacts,
  Degradation,
  DegradationCode,
  IsolationTier,
  MountRow,
  RefusedCall,
  SandboxEvidence,
  StepOutcome,
  StepResult,
  WorkerBackend,
} from "./result.ts";
export { generatedFiles } from "./system-view.ts";
export { toolchainNames } from "./toolchains.ts";
export type { Worker, WorkerProbe } from "./worker.ts";
