export { addCheckpointRequest, askWitness, type CosignRequest, cosignCheckpoint, mergeCosignatures } from "./cosign.ts";
export { type LogErrorCode, logErrors } from "./errors.ts";
export { type FsckReport, fsckLog } from "./fsck.ts";
export { signedEntryTimestamp } from "./inclusion.ts";
export { type CheckpointSigner, createLogKeys, type LogKeys, openLogKeys } from "./keys.ts";
export { type OpenLogOptions, openLog, type TransparencyLog } from "./log.ts";
export { type LogReader, type LogReaderOptions, openLogReader } from "./log-reader.ts";
export { type EntryProof, type TrustedLogKey, verifyLogged } from "./logged.ts";
export { type SignedMemory, signedMemory } from "./memory.ts";
export { type LogProof, proveConsistency, proveInclusion, readEntry, type TreeHead } from "./reader.ts";
export { directorySource, httpSource, type TileSource } from "./tile-source.ts";
export {
  judgeCheckpoint,
  openWitness,
  parseAddCheckpoint,
  type Witness,
  type WitnessDecision,
  type WitnessedLog,
} from "./witness.ts";
export type { WitnessClient, WitnessResponse } from "./witness-client.ts";
export { httpWitness, serveWitness } from "./witness-http.ts";
