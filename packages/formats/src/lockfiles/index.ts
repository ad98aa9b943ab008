export { type LockfileCode, lockfileErrors } from "./errors.ts";
export type {
  AnnouncedDigest,
  DigestAlgorithm,
  Ecosystem,
  LockedFile,
  LockedFrom,
  LockedPackage,
  Lockfile,
} from "./locked.ts";
export type { LockfileOptions } from "./options.ts";
export { isLockfileName, lockfileNames, readLockfile } from "./read.ts";
