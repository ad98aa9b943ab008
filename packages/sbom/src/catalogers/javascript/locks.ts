import type { LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile, Found } from "../../catalogue/cataloger.ts";
import { foundFromLockfile } from "../lockfiles/found-from-lockfile.ts";
import { readCollectedLockfile } from "../lockfiles/read-lockfile.ts";
import { lockfileRule } from "./lockfile-rules.ts";

/** A lockfile with the directory that it speaks of. */
export interface Lock {
  readonly directory: string;
  readonly file: CollectedFile;
  readonly lockfile: Lockfile;
  readonly found: Found;
  /** Written by the client beside what it installed: says more of that, and nothing of what is not there. */
  readonly isRecord: boolean;
}

/** Files in which clients record what they installed, by the end of their path, with the name of the format's own file. */
const records: readonly (readonly [string, string])[] = [
  ["node_modules/.package-lock.json", "package-lock.json"],
  ["node_modules/.pnpm/lock.yaml", "pnpm-lock.yaml"],
];

/** True for a record of what was installed into the outermost node_modules. */
export function isInstallRecord(path: string): boolean {
  return recordOf(path) !== undefined;
}

/** Reads all lockfiles of projects, then all records of installs. */
export function readLocks(
  files: readonly CollectedFile[],
  context: CatalogueContext,
): { readonly locks: readonly Lock[]; readonly losses: readonly ScanLoss[] } {
  const locks: Lock[] = [];
  const losses: ScanLoss[] = [];
  const add = (file: CollectedFile, rule: string, directory: string, recordName: string | undefined): void => {
    const read = readCollectedLockfile(file, context, recordName);
    // A record has no entry for the project itself: that is no loss.
    losses.push(
      ...(recordName === undefined
        ? read.losses
        : read.losses.filter(({ code }) => code !== "LOCKFILE_MALFORMED" || read.lockfile === undefined)),
    );
    if (read.lockfile === undefined) return;
    const found = foundFromLockfile(read.lockfile, file, rule);
    locks.push({ directory, file, lockfile: read.lockfile, found, isRecord: recordName !== undefined });
  };
  for (const file of files) {
    const rule = lockfileRule(file);
    if (rule !== undefined) add(file, rule, file.path.slice(0, -file.name.length - 1), undefined);
  }
  for (const file of files) {
    const record = recordOf(file.path);
    if (record !== undefined) add(file, "npm-installed", record.directory, record.name);
  }
  return { locks, losses };
}

function recordOf(path: string): { readonly directory: string; readonly name: string } | undefined {
  for (const [end, name] of records) {
    if (path === end) return { directory: "", name };
    if (!path.endsWith(`/${end}`)) continue;
    const directory = path.slice(0, -end.length - 1);
    return `/${directory}/`.includes("/node_modules/") ? undefined : { directory, name };
  }
  return undefined;
}

/** True where a key of a lockfile is the directory of the package, below the project's. */
export function saysPlaces({ format }: Lockfile): boolean {
  return /^(?:npm-package-lock|bun-lock)-/.test(format);
}

/** A path below a directory, both of the scanned tree; undefined when it leads out of the tree. */
export function below(directory: string, path: string): string | undefined {
  const segments = directory === "" ? [] : directory.split("/");
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") segments.push(step);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}

/** The directory of one of the project's own packages. */
export function ownDirectory({ directory }: Lock, { from }: LockedPackage): string | undefined {
  return from.kind === "local" ? below(directory, from.path) : undefined;
}
