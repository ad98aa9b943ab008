import { unpackErrors } from "./errors.ts";
import type { SparsePiece } from "./layer-entry.ts";
import { checkSum, numberField, TAR_RECORD, textField } from "./tar-field.ts";

/** One record that heads an entry, before pax and GNU headers changed it. */
export interface RawHeader {
  readonly dialect: "old" | "ustar" | "gnu";
  readonly type: string;
  readonly name: string;
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  readonly size: number;
  readonly mtime: number;
  /** Of GNU's old sparse type alone. */
  readonly sparse?: {
    readonly pieces: readonly SparsePiece[];
    readonly isExtended: boolean;
    readonly realSize: number;
  };
}

/**
 * Reads one header record: v7, ustar, or GNU.
 * @throws UNPACK_HEADER_CHECKSUM | UNPACK_HEADER_BAD | UNPACK_HEADER_CONFLICT | UNPACK_NUMBER_NEGATIVE | UNPACK_NAME_INVALID
 */
export function readHeader(block: Buffer): RawHeader {
  checkSum(block);
  const dialect = dialectOf(block);
  const type = block.toString("latin1", 156, 157);
  const isOldSparse = dialect === "gnu" && type === "S";
  if (dialect === "gnu") checkGnuTimes(block);
  if (dialect !== "ustar" && !isOldSparse && hasBytes(block, dialect === "gnu" ? 369 : 345, 500)) {
    // A reader who takes what lies there for the prefix of a path sees another path.
    throw unpackErrors.make(
      "UNPACK_HEADER_CONFLICT",
      "expected nothing where another dialect keeps the prefix of a path",
    );
  }
  const prefix = dialect === "ustar" ? textField(block, 345, 155) : "";
  const name = textField(block, 0, 100);
  return {
    dialect,
    type,
    name: prefix === "" ? name : `${prefix}/${name}`,
    target: textField(block, 157, 100),
    mode: numberField(block, 100, 8, "mode"),
    uid: numberField(block, 108, 8, "user id"),
    gid: numberField(block, 116, 8, "group id"),
    userName: dialect === "old" ? "" : textField(block, 265, 32),
    groupName: dialect === "old" ? "" : textField(block, 297, 32),
    size: numberField(block, 124, 12, "size"),
    mtime: numberField(block, 136, 12, "time", true),
    ...(isOldSparse ? { sparse: oldSparse(block) } : {}),
  };
}

function dialectOf(block: Buffer): RawHeader["dialect"] {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar\x0000") return "ustar";
  if (magic === "ustar  \0") return "gnu";
  if (!hasBytes(block, 257, 265)) return "old";
  throw unpackErrors.make("UNPACK_HEADER_BAD", `expected the magic of a tar header, found ${JSON.stringify(magic)}`);
}

/** GNU keeps access and change time where ustar keeps a prefix: numbers, or nothing. */
function checkGnuTimes(block: Buffer): void {
  numberField(block, 345, 12, "access time", true);
  numberField(block, 357, 12, "change time", true);
}

function hasBytes(block: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (block[i] !== 0) return true;
  return false;
}

function oldSparse(block: Buffer): NonNullable<RawHeader["sparse"]> {
  return {
    pieces: sparseFields(block, 386, 4),
    isExtended: block[482] === 1,
    realSize: numberField(block, 483, 12, "size"),
  };
}

/** Pieces of a record that continues the map of GNU's old sparse type, and whether another follows. */
export function readSparseRecord(block: Buffer): { readonly pieces: SparsePiece[]; readonly isExtended: boolean } {
  if (block.length !== TAR_RECORD) throw new TypeError("not a record");
  return { pieces: sparseFields(block, 0, 21), isExtended: block[504] === 1 };
}

function sparseFields(block: Buffer, start: number, count: number): SparsePiece[] {
  const pieces: SparsePiece[] = [];
  for (let at = start; at < start + count * 24; at += 24) {
    // An unused pair is empty, and ends the list.
    if (block[at] === 0 && block[at + 12] === 0) break;
    pieces.push({ offset: numberField(block, at, 12, "offset"), length: numberField(block, at + 12, 12, "length") });
  }
  return pieces;
}
