export { readZipEntry, readZipEntryHead, storedSource, streamZipEntry } from "./content.ts";
export {
  readZipDirectory,
  type ZipArchive,
  type ZipEntry,
  type ZipFault,
  type ZipLimits,
  zipLimits,
} from "./directory.ts";
export { type ZipCode, zipErrors } from "./errors.ts";
export { bufferedSource, memorySource, partOf, type ZipSource } from "./source.ts";
