export { openTreeStore } from "./backends/directory-tree-store.ts";
export { openContentStore } from "./backends/file-content-store.ts";
export { type MemoryContentStore, memoryContentStore } from "./backends/memory-content-store.ts";
export { type BackupOptions, type BackupReport, backup } from "./backup.ts";
export { type BundleContent, readBundle } from "./bundle-subjects.ts";
export type {
  BlobDescriptor,
  BlobSource,
  ContentStore,
  FileContentStore,
  PutOptions,
  ReadOptions,
} from "./content-store.ts";
export { type DirectoryOptions, hashDirectory } from "./directory.ts";
export {
  makeDirectory,
  readIfPresent,
  syncDirectory,
  TEMPORARY_PREFIX,
  temporaryBeside,
  type WriteOptions,
  writeAll,
  writeFileAtomically,
} from "./durable-file.ts";
export { storeErrors } from "./errors.ts";
export { type EvidenceStores, type FoundBundle, findBundles, findRuns, type IndexMending } from "./evidence.ts";
export { type FsckFinding, type FsckReport, fsck } from "./fsck.ts";
export { type Home, type HomeOptions, openHome } from "./home.ts";
export { defaultHomePath, type HomePaths } from "./home-path.ts";
export {
  deleteIndex,
  type Index,
  type IndexedArtifact,
  type IndexedBundle,
  type IndexedRun,
  openIndex,
} from "./index-database.ts";
export { type Lock, type LockOptions, takeLock, tryLock } from "./kernel-lock.ts";
export type { Migration, Migrations } from "./migrations.ts";
export { type PruneOptions, type PruneReport, type PruneStores, prune } from "./prune.ts";
export { type RebuiltIndex, rebuildIndex } from "./rebuild-index.ts";
export { referencedByRuns } from "./references.ts";
export { removeTree } from "./remove-tree.ts";
export { type RestoreOptions, type RestoreReport, restore } from "./restore.ts";
export type { RunArtifact, RunBundle, RunRecord, RunState, RunStep, StepStatus } from "./run-record.ts";
export {
  type NewRun,
  newRunId,
  type OpenRun,
  openRunStore,
  type RunChange,
  type RunLog,
  type RunStore,
} from "./run-store.ts";
export { reclaimScratch, ScratchSpace } from "./scratch.ts";
export { asStoreError, guarded, isAbsent, systemCode } from "./system-failure.ts";
export { padding, TAR_BLOCK, type TarEntry, type TarHeaderEntry, tarEnd, tarHeader } from "./tar-header.ts";
export { type ArchiveSource, readTarEntry } from "./tar-reader.ts";
export type { TreeLimits } from "./tree-limits.ts";
export type { IngestedTree, IngestOptions, TreeStore } from "./tree-store.ts";
export type { TarStream, TreeTarOptions } from "./tree-tar.ts";
