import { bufferedSource, readZipDirectory, streamZipEntry, type ZipSource } from "@touchmark/formats/zip";
import type { StoredContent } from "./content.ts";
import type { LayerEntryLike } from "./entry.ts";
import { isArchiveName, plainName } from "./entry-name.ts";

const formatMask = 0o170000;
const symlinkFormat = 0o120000;

/** What a zip archive holds, and what of it is not taken. */
export interface ZipContent {
  readonly entries: readonly LayerEntryLike[];
  readonly refused: readonly string[];
  readonly faults: readonly { readonly code: string; readonly message: string }[];
}

/**
 * Entries of a zip archive. Nothing is unpacked before its content is read. Of names that stand twice, all: the last
 * one counts, as for most that unpack.
 * @param limit bytes that one entry may unpack to
 * @throws ZIP_MALFORMED | ZIP_TRUNCATED | ZIP_TOO_LARGE | ZIP_OVERLAP | ZIP_UNSUPPORTED
 */
export function zipEntries(content: StoredContent, limit: () => number, entries: number): ZipContent {
  const source: ZipSource = bufferedSource(content);
  const archive = readZipDirectory(source, { entries });
  const taken: LayerEntryLike[] = [];
  const refused: string[] = [];
  for (const entry of archive.entries) {
    const path = plainName(entry.name.replaceAll("\\", "/"));
    if (path === undefined || !isArchiveName(path)) {
      refused.push(entry.name);
      continue;
    }
    const isLink = (entry.mode & formatMask) === symlinkFormat;
    taken.push({
      path,
      kind: entry.isDirectory ? "directory" : isLink ? "fifo" : "file",
      mode: entry.mode === 0 ? 0o644 : entry.mode & 0o7777,
      size: entry.isDirectory || isLink ? 0 : entry.size,
      content: () => streamZipEntry(source, entry, limit()),
    });
  }
  return { entries: taken, refused, faults: archive.faults };
}
