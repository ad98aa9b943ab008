import { type Digest, isDigest, parseJson } from "@touchmark/core";
import { storeErrors } from "./errors.ts";

/** First entry of a backup: says what it is. */
export const BACKUP_HEAD = "touchmark-backup.json";
/** Last entry: every other one with its digest. */
export const BACKUP_MANIFEST = "manifest.json";
/** Directory of the archive that becomes the home. */
export const BACKUP_HOME = "home";

/** All that a backup holds of a registry: its database as of one moment. A journal beside it could say anything. */
export const BACKUP_REGISTRY = "home/registry/registry.db";

/** Parts of a home that a backup holds, in the order in which they are read (SPEC B2). */
export const backupParts = [
  "runs",
  "projects",
  "trust",
  "identity",
  "materials",
  "advisories",
  "vex",
  "policy",
  "registry",
  "store",
  "trees",
  "cache",
  "repositories",
  "log",
] as const;

/** What the user configured, beside the parts: files that a home need not have. */
export const backupDocuments = [
  "materials.yaml",
  "images.yaml",
  "registry.yaml",
  "advisories.yaml",
  "scan.yaml",
] as const;

/** A part of a home that a backup may hold. */
export type BackupPart = (typeof backupParts)[number];

/** One line of the manifest. */
export interface BackupEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly size: number;
  /** Of a file's bytes or a link's target; of nothing for a directory. */
  readonly digest: Digest;
}

/** Text of the head entry. */
export function backupHead(homeVersion: number): string {
  return `${JSON.stringify({ format: "touchmark backup v1", homeVersion })}\n`;
}

/** Version of the home in a backup. @throws STORE_ARCHIVE_MALFORMED */
export function parseBackupHead(bytes: Uint8Array): number {
  const value = parsed(bytes) as { format?: unknown; homeVersion?: unknown };
  if (value?.format !== "touchmark backup v1" || !Number.isSafeInteger(value.homeVersion)) {
    throw storeErrors.make("STORE_ARCHIVE_MALFORMED", `expected "touchmark backup v1" in ${BACKUP_HEAD}`);
  }
  return value.homeVersion as number;
}

/** Text of the manifest. */
export function backupManifest(entries: readonly BackupEntry[]): string {
  return `{"format":"touchmark backup manifest v1","entries":[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]}\n`;
}

/** Reads a manifest. @throws STORE_ARCHIVE_MALFORMED */
export function parseBackupManifest(bytes: Uint8Array): BackupEntry[] {
  const value = parsed(bytes) as { format?: unknown; entries?: readonly BackupEntry[] };
  const sound =
    value?.format === "touchmark backup manifest v1" &&
    Array.isArray(value.entries) &&
    value.entries.every((entry: BackupEntry) => typeof entry?.path === "string" && isDigest(entry.digest));
  if (!sound) throw storeErrors.make("STORE_ARCHIVE_MALFORMED", `expected a manifest in ${BACKUP_MANIFEST}`);
  return value.entries as BackupEntry[];
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: 1024 ** 3 });
  } catch (cause) {
    throw storeErrors.make("STORE_ARCHIVE_MALFORMED", "expected JSON in the backup's own entries", { cause });
  }
}

const treeFile = /^home\/trees\/sha256\/[0-9a-f]{64}\/root\/./;
const safePart = /^(?!\.{1,2}$)[^\u0000-\u001f\u007f\\:]{1,255}$/;

/** Refuses an entry that does not belong where it wants to go. @throws STORE_ARCHIVE_PATH | STORE_ARCHIVE_ENTRY */
export function checkArchivePath(path: string, kind: BackupEntry["kind"]): void {
  const parts = path.split("/");
  // Names inside a tree were chosen by a step: `\` and `:` are letters there, if not on Windows.
  const strict = process.platform === "win32" || !treeFile.test(path);
  const fine = (part: string) => safePart.test(strict ? part : part.replace(/[\\:]/g, "_"));
  const allowed = new Set<string>(["version", ...backupParts]);
  const known =
    path === BACKUP_HEAD ||
    path === BACKUP_MANIFEST ||
    (kind === "file" && backupDocuments.some((name) => path === `${BACKUP_HOME}/${name}`)) ||
    (parts[0] === BACKUP_HOME && allowed.has(parts[1] ?? "") && (parts[1] !== "registry" || path === BACKUP_REGISTRY));
  if (!known || !parts.every(fine) || Buffer.byteLength(path) > 4096) {
    throw storeErrors.make(
      "STORE_ARCHIVE_PATH",
      `expected a path inside a home, found ${JSON.stringify(path.slice(0, 200))}`,
    );
  }
  if (kind === "symlink" && !treeFile.test(path)) {
    throw storeErrors.make(
      "STORE_ARCHIVE_ENTRY",
      `expected links inside stored trees only, found one at ${JSON.stringify(path.slice(0, 200))}`,
    );
  }
}

/** True for a path inside a stored tree, whose time and mode are part of it. */
export function isTreeContent(path: string): boolean {
  return treeFile.test(path) || /^home\/trees\/sha256\/[0-9a-f]{64}\/root$/.test(path);
}
