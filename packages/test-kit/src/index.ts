export { type MemoryLog, memoryLog } from "./memory-log.ts";
