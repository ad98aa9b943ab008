import { canonicalJson, sha256 } from "@touchmark/core";
import type { ListedEntry } from "../unpack/tree-listing.ts";
import { rootfsErrors } from "./errors.ts";
import type { ImageFacts } from "./image-facts.ts";
import type { RootfsRecord } from "./record.ts";

const format = "touchmark rootfs listing v1";
const kinds = ["directory", "file", "symlink"] as const;

/**
 * The listing's canonical text: a line with what is known of the image, then a JSON array for each entry, in byte order
 * of paths. It depends on the image alone (and on how modes are mapped), so that anyone can derive it.
 */
export function listingText(facts: ImageFacts, entries: readonly ListedEntry[]): string {
  const lines = [headOf(facts)];
  for (const { path, kind, mode, mtime, size, sha256: digest, target, original } of entries) {
    const { uid, gid, mode: was } = original;
    lines.push(JSON.stringify([path, kinds.indexOf(kind), mode, mtime, size, digest ?? target ?? "", uid, gid, was]));
  }
  return `${lines.join("\n")}\n`;
}

/** Entries of a listing that a record names, whose facts are the record's. @throws ROOTFS_CHANGED */
export function parseListing(text: string, record: RootfsRecord): readonly ListedEntry[] {
  if (sha256(text) !== record.listing) throw altered("expected the listing that the record names, found another");
  const end = text.indexOf("\n");
  if (text.slice(0, end) !== headOf(record.facts)) throw altered("expected the facts of the record, found others");
  // The digest says that these lines are of our making.
  const lines = text.slice(end + 1).split("\n");
  lines.pop();
  return lines.map((line) => entryOf(JSON.parse(line) as Row));
}

function headOf(facts: ImageFacts): string {
  return canonicalJson({ format, ...facts });
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
