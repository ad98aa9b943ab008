import { entryPath, linkPath, symlinkTarget, whiteoutOf } from "./entry-path.ts";
import { unpackErrors } from "./errors.ts";
import type { LayerEntryKind, LayerHeader, SparsePiece } from "./layer-entry.ts";
import type { UnpackLimits } from "./limits.ts";
import type { PaxHeader } from "./pax.ts";
import { shown } from "./tar-field.ts";
import type { RawHeader } from "./tar-header.ts";

/** What stood in front of an entry's own header. */
export interface Prelude {
  pax?: PaxHeader;
  longName?: string;
  longTarget?: string;
}

const none: ReadonlyMap<string, Uint8Array> = new Map();
/** A size above this has no octal form; a pax header then tells it, and the header's own says 0. */
const largestOctal = 8 * 2 ** 30;

/**
 * Puts the headers of one entry together; `stored` is how many bytes of the archive belong to it.
 * @throws UNPACK_HEADER_CONFLICT | UNPACK_HEADER_BAD | UNPACK_ENTRY_KIND and what paths are refused for
 */
export function entryOf(
  raw: RawHeader,
  { pax, longName, longTarget }: Prelude,
  pieces: readonly SparsePiece[] | undefined,
  limits: UnpackLimits,
): { readonly header: LayerHeader; readonly stored: number } {
  if (pax?.path !== undefined && longName !== undefined) throw conflict(raw, "a pax path and a GNU long name");
  if (pax?.target !== undefined && longTarget !== undefined) throw conflict(raw, "a pax and a GNU link target");
  if (raw.sparse !== undefined && pax?.sparse !== undefined) throw conflict(raw, "two kinds of sparse file");
  const stored = storedSize(raw, pax?.size);
  const written = pax?.sparse?.name ?? pax?.path ?? longName ?? raw.name;
  const kind = kindOf(raw, written);
  if (kind !== "file" && stored > 0) throw conflict(raw, `${stored} bytes of content in a ${kind}`);
  if (kind !== "file" && pieces !== undefined) throw conflict(raw, `a sparse ${kind}`);
  if (kind !== "directory" && written.endsWith("/")) {
    throw unpackErrors.make("UNPACK_NAME_INVALID", `expected the name of a ${kind}, found ${shown(written)}`);
  }
  const path = entryPath(written, limits);
  const size = raw.sparse?.realSize ?? pax?.sparse?.realSize ?? stored;
  const whiteout = whiteoutOf(path, kind, size);
  const target = targetOf(kind, pax?.target ?? longTarget ?? raw.target, limits);
  const dialect = pax !== undefined ? "pax" : longName !== undefined || longTarget !== undefined ? "gnu" : raw.dialect;
  const header: LayerHeader = {
    path,
    kind,
    // The type of the file is in the header's own flag; some writers repeat it in these bits.
    mode: raw.mode & 0o7777,
    uid: pax?.uid ?? raw.uid,
    gid: pax?.gid ?? raw.gid,
    userName: pax?.userName ?? raw.userName,
    groupName: pax?.groupName ?? raw.groupName,
    mtime: pax?.mtime ?? raw.mtime,
    size,
    xattrs: pax?.xattrs ?? none,
    dialect,
    ...(target === undefined ? {} : { target }),
    ...(pieces === undefined ? {} : { sparse: pieces }),
    ...(whiteout === undefined ? {} : { whiteout }),
  };
  return { header, stored };
}

function storedSize(raw: RawHeader, written: number | undefined): number {
  if (written === undefined || written === raw.size) return raw.size;
  // A reader that does not know pax takes the other one, and finds other entries.
  if (raw.size !== 0 || written < largestOctal) throw conflict(raw, `two sizes: ${raw.size} and ${written}`);
  return written;
}

function kindOf(raw: RawHeader, written: string): LayerEntryKind {
  switch (raw.type) {
    case "0":
    case "7":
    case "S":
      return "file";
    case "\0":
      return written.endsWith("/") ? "directory" : "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "character-device";
    case "4":
      return "block-device";
    case "5":
      return "directory";
    case "6":
      return "fifo";
    default:
      throw unpackErrors.make(
        "UNPACK_ENTRY_KIND",
        `expected files, directories and links, found an entry of type ${JSON.stringify(raw.type)}: ${shown(written)}`,
      );
  }
}

function targetOf(kind: LayerEntryKind, written: string, limits: UnpackLimits): string | undefined {
  if (kind === "symlink") return symlinkTarget(written);
  return kind === "hardlink" ? linkPath(written, limits) : undefined;
}

function conflict(raw: RawHeader, found: string): Error {
  return unpackErrors.make("UNPACK_HEADER_CONFLICT", `expected headers that agree, found ${found}: ${shown(raw.name)}`);
}
