import type { ScanLoss } from "@touchmark/formats/sbom";
import {
  bufferedSource,
  memorySource,
  readZipEntry,
  readZipEntryHead,
  storedSource,
  type ZipEntry,
  type ZipSource,
} from "@touchmark/formats/zip";
import { scanLoss } from "../scan-loss.ts";
import { type ArchiveFacts, readArchive } from "./archive.ts";
import { isJavaArchiveName } from "./archive-name.ts";
import { javaErrors } from "./errors.ts";

/** Bounds of one file with all the archives in it. */
export interface ArchiveLimits {
  /** Archives in each other; what people pack has four. */
  readonly depth: number;
  readonly archives: number;
  /** Entries of all of them together. */
  readonly entries: number;
  /** Unpacked bytes of inner archives: all, and at one time. */
  readonly bytes: number;
  readonly liveBytes: number;
}

export const archiveLimits: ArchiveLimits = {
  depth: 12,
  archives: 20_000,
  entries: 4_000_000,
  bytes: 1024 * 1024 * 1024,
  liveBytes: 192 * 1024 * 1024,
};

/** An archive and those in it. */
export interface ArchiveNode {
  /** `OUTER!/INNER`. */
  readonly path: string;
  /** Last part of the path. */
  readonly fileName: string;
  /** Undefined where it could not be read. */
  readonly facts?: ArchiveFacts;
  readonly children: readonly ArchiveNode[];
}

/** Called for every archive, inner ones first, while its bytes are at hand. */
export type ArchiveVisitor = (node: ArchiveNode, source: ZipSource) => void;

interface Budget {
  archives: number;
  entries: number;
  bytes: number;
  live: number;
}

/** Reads a file and the archives in it, to any of their own depth within the limits. Losses name what was left out. */
export function readArchiveTree(
  source: ZipSource,
  path: string,
  visit: ArchiveVisitor,
  limits: ArchiveLimits = archiveLimits,
): readonly ScanLoss[] {
  const losses: ScanLoss[] = [];
  const used: Budget = { archives: 0, entries: 0, bytes: 0, live: 0 };
  const lose = (at: string, code: keyof typeof javaErrors.rows, message: string): void => {
    losses.push(scanLoss(at, javaErrors.make(code, message)));
  };

  function read(bytes: ZipSource, at: string, depth: number): ArchiveNode {
    const near = bufferedSource(bytes);
    const fileName = at.slice(Math.max(at.lastIndexOf("/"), at.lastIndexOf("\\")) + 1);
    let facts: ArchiveFacts;
    try {
      facts = readArchive(near, at);
    } catch (error) {
      losses.push(scanLoss(at, error));
      const unread = { path: at, fileName, children: [] };
      visit(unread, near);
      return unread;
    }
    losses.push(...facts.losses);
    used.entries += facts.entries.length;
    const children: ArchiveNode[] = [];
    const node = { path: at, fileName, facts, children };
    if (used.entries > limits.entries) {
      lose(at, "SBOM_JAVA_ARCHIVE_TOO_LARGE", `expected at most ${limits.entries} entries in all archives of a file`);
    } else {
      for (const entry of facts.entries) {
        const child = isArchive(near, entry) ? readInner(bytes, entry, at, depth) : undefined;
        if (child !== undefined) children.push(child);
      }
    }
    visit(node, near);
    return node;
  }

  function readInner(bytes: ZipSource, entry: ZipEntry, outer: string, depth: number): ArchiveNode | undefined {
    const at = `${outer}!/${entry.name}`;
    if (depth >= limits.depth) {
      lose(at, "SBOM_JAVA_ARCHIVE_TOO_DEEP", `expected at most ${limits.depth} archives in each other`);
      return undefined;
    }
    if (++used.archives > limits.archives) {
      if (used.archives === limits.archives + 1) {
        lose(at, "SBOM_JAVA_ARCHIVE_TOO_LARGE", `expected at most ${limits.archives} archives in one file`);
      }
      return undefined;
    }
    try {
      const stored = storedSource(bytes, entry);
      if (stored !== undefined) return read(stored, at, depth + 1);
      const isTooMuch = used.bytes + entry.size > limits.bytes || used.live + entry.size > limits.liveBytes;
      if (isTooMuch) {
        lose(at, "SBOM_JAVA_ARCHIVE_TOO_LARGE", `expected fewer unpacked bytes in one file, found ${entry.size} more`);
        return undefined;
      }
      used.bytes += entry.size;
      used.live += entry.size;
      try {
        return read(memorySource(readZipEntry(bytes, entry, limits.liveBytes)), at, depth + 1);
      } finally {
        used.live -= entry.size;
      }
    } catch (error) {
      losses.push(scanLoss(at, error));
      return undefined;
    }
  }

  read(source, path, 1);
  return losses;
}

/** Entries named as classes from this size on are looked into. */
const largestClass = 64 * 1024;

/** By its name, and by its first bytes where the name says nothing: a renamed archive is one still. */
function isArchive(source: ZipSource, entry: ZipEntry): boolean {
  if (entry.isDirectory || entry.size < 22) return false;
  if (isJavaArchiveName(entry.name)) return true;
  // Classes are many, small, and shrink when they are packed; an archive with programs in it is or does none of these.
  const isPlain = entry.size < largestClass && entry.packedSize < entry.size * 0.8;
  if (isPlain && entry.name.endsWith(".class")) return false;
  try {
    return isZip(readZipEntryHead(source, entry, 4));
  } catch {
    // What cannot be read at all is told where somebody needs it.
    return false;
  }
}

/** First bytes of a zip archive that has entries. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}
