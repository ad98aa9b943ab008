import { type Digest, sha256 } from "@touchmark/core";
import type { ListedEntry, TreeListing } from "../unpack/tree-listing.ts";
import { rootfsErrors } from "./errors.ts";

/** The listing of an unpacked image: what its digest is of, and what lies on disk. */
export interface Listing {
  readonly image: Digest;
  readonly entries: readonly ListedEntry[];
}

const format = "touchmark rootfs listing v1";
const kinds = ["directory", "file", "symlink"] as const;

/**
 * The listing's canonical text: a line with the format and the image's digest, then a JSON array a line, in byte order of
 * paths. It depends on the image alone (and on how modes and owners are mapped), so that anyone can derive it.
 */
export function listingText(image: Digest, { entries }: TreeListing): string {
  const lines = [JSON.stringify([format, image])];
  for (const { path, kind, mode, mtime, size, sha256: digest, target, original } of entries) {
    const { uid, gid, mode: was } = original;
    lines.push(JSON.stringify([path, kinds.indexOf(kind), mode, mtime, size, digest ?? target ?? "", uid, gid, was]));
  }
  return `${lines.join("\n")}\n`;
}

/** Reads a listing whose digest is known. @throws ROOTFS_CHANGED */
export function parseListing(text: string, image: Digest, digest: Digest): Listing {
  if (sha256(text) !== digest) throw altered("expected the listing that the record names, found another");
  // The digest says that these bytes are of our making; what follows only keeps an older format from being misread.
  const lines = text.split("\n");
  const [found, of] = JSON.parse(lines[0] as string) as [unknown, unknown];
  if (found !== format || of !== image) throw altered(`expected the listing of ${image}, found another image's`);
  const entries: ListedEntry[] = [];
  for (const line of lines.slice(1, -1)) entries.push(entryOf(JSON.parse(line) as Row));
  return { image, entries };
}

type Row = readonly [string, number, number, number, number, string, number, number, number];

function entryOf([path, kind, mode, mtime, size, last, uid, gid, was]: Row): ListedEntry {
  const original = { uid, gid, mode: was };
  const name = kinds[kind] ?? "file";
  if (name === "directory") return { path, kind: name, mode, mtime, size, original };
  if (name === "symlink") return { path, kind: name, mode, mtime, size, target: last, original };
  return { path, kind: name, mode, mtime, size, sha256: last, original };
}

function altered(message: string): Error {
  return rootfsErrors.make("ROOTFS_CHANGED", message);
}
