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
export { commitMaterial, type SampleMaterial, sampleMaterial } from "./materials-contract/sample-material.ts";
export { type MemoryLog, memoryLog } from "./memory-log.ts";
export { hasPeerRegistry, type PeerRegistry, type PeerRegistryKind, startPeerRegistry } from "./peer-registry.ts";
export { findProgram } from "./program.ts";
export { type ObjectServer, objectServerProgram, startObjectServer } from "./registry-contract/object-server.ts";
export { inChunks, putBlob, putImage, readBlob, sampleManifest } from "./registry-contract/sample-registry.ts";
