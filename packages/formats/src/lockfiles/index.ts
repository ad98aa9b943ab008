export type {
  AnnouncedDigest,
  DigestAlgorithm,
  Ecosystem,
  LockedFile,
  LockedFrom,
  LockedPackage,
  Lockfile,
} from "./locked.ts";
