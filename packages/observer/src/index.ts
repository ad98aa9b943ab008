export { describeEnvironment, type UsedEnvironment, type UsedFile } from "./environment.ts";
export { observerErrors } from "./errors.ts";
export { type LossCode, lossMeanings } from "./losses.ts";
export type {
  Coverage,
  EventCounts,
  NetworkAttempt,
  Observation,
  ObservedFile,
  ObservedFiles,
  ObservedMount,
  ObservedProcess,
  ObservedStep,
  Observer,
  ObserverTier,
  ProcessExit,
  RefusedCall,
  SandboxRefusal,
  TracedRefusal,
  TraceLog,
  Tracer,
} from "./observation.ts";
export {
  type HostPackage,
  openPackageDatabase,
  type PackageDatabase,
  type PackageDatabaseOptions,
} from "./package-database.ts";
export { tracedRefusals } from "./strace-command.ts";
export { probeStrace, type StraceObserverOptions, type StraceProbe, straceObserver } from "./strace-observer.ts";
