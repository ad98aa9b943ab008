export { type LogErrorCode, logErrors } from "./errors.ts";
export { type CheckpointSigner, createLogKeys, type LogKeys, openLogKeys } from "./keys.ts";
export type { OpenLogOptions, TransparencyLog } from "./log.ts";
export { type SignedMemory, signedMemory } from "./memory.ts";
export type { WitnessClient, WitnessResponse } from "./witness-client.ts";
