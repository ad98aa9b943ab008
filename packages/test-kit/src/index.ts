export {
  type CrashPoint,
  canInjectCrashes,
  crashAt,
  forEachCrashPoint,
  needsSpace,
  recordCrashPoints,
  type TracedProgram,
} from "./crash-points.ts";
export { type FactoryFixture, factoryFixture, sampleStatement } from "./factory-fixture.ts";
export { type MemoryLog, memoryLog } from "./memory-log.ts";
export { commitMaterial, type SampleMaterial, sampleMaterial } from "./mirror-contract/sample-material.ts";
export { findProgram } from "./program.ts";
