export { conflictsBetween, type LockfileConflict } from "./conflicts.ts";
export { type LockfileCode, lockfileErrors } from "./errors.ts";
export { type GoModule, type GoReplacement, type GoWorkspace, readGoModule, readGoWorkspace } from "./go-mod.ts";
export type {
  AnnouncedDigest,
  DigestAlgorithm,
  Ecosystem,
  LockedFile,
  LockedFrom,
  LockedPackage,
  LockedRoot,
  Lockfile,
} from "./locked.ts";
export { type MaterialsLock, materialsLockSchema, materialsLockVersion, writeMaterialsLock } from "./materials-lock.ts";
export { type LockfileOptions, lockfileLimits } from "./options.ts";
export { isLockfileName, lockfileNames, readLockfile } from "./read.ts";
export { readToml } from "./toml-reader.ts";
