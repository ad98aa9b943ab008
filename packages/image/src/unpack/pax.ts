import { unpackErrors } from "./errors.ts";
import type { SparsePiece } from "./layer-entry.ts";
import { shown, utf8 } from "./tar-field.ts";

/** What a pax header changes about the entry behind it. */
export interface PaxHeader {
  readonly path?: string;
  readonly target?: string;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly userName?: string;
  readonly groupName?: string;
  readonly mtime?: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  readonly sparse?: PaxSparse;
}

/** GNU's three sparse formats in pax. `inContent` (1.0): the map stands in front of the content. */
export interface PaxSparse {
  readonly realSize: number;
  readonly name?: string;
  readonly pieces?: readonly SparsePiece[];
  readonly inContent: boolean;
}

const xattrPrefix = "SCHILY.xattr.";
const sparsePrefix = "GNU.sparse.";
/** Keys that a global header could give to every entry: some readers obey, some do not. */
const telling =
  /^(?:path|linkpath|size|uid|gid|uname|gname|mtime|hdrcharset|SCHILY\.|GNU\.sparse\.|LIBARCHIVE\.xattr\.)/;

/**
 * Reads a pax header (POSIX.1-2024, pax interchange format).
 * @throws UNPACK_HEADER_BAD | UNPACK_HEADER_CONFLICT | UNPACK_NUMBER_NEGATIVE | UNPACK_NAME_INVALID | UNPACK_LINK_INVALID
 */
export function readPax(body: Buffer): PaxHeader {
  const records = new Map<string, Buffer>();
  const pairs: { key: string; value: Buffer }[] = [];
  const xattrs = new Map<string, Uint8Array>();
  for (const { key, value } of paxRecords(body)) {
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
      pairs.push({ key, value });
      continue;
    }
    if (records.has(key)) throw conflict(`the pax record ${shown(key)} stands twice`);
    if (key === "hdrcharset" && value.toString("latin1") !== "ISO-IR 10646 2000 UTF-8") {
      throw conflict("a pax header has a character set of its own");
    }
    records.set(key, value);
    if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), Buffer.from(value));
    else if (key.startsWith("SCHILY.acl.")) xattrs.set(key, Buffer.from(value));
  }
  const sparse = readSparse(records, pairs);
  return {
    ...text(records, "path", "path"),
    ...text(records, "linkpath", "target"),
    ...text(records, "uname", "userName"),
    ...text(records, "gname", "groupName"),
    ...whole(records, "size"),
    ...whole(records, "uid"),
    ...whole(records, "gid"),
    ...time(records),
    xattrs,
    ...(sparse === undefined ? {} : { sparse }),
  };
}

/** Refuses a global pax header that would change entries. @throws UNPACK_HEADER_CONFLICT | UNPACK_HEADER_BAD */
export function checkGlobalPax(body: Buffer): void {
  for (const { key } of paxRecords(body)) {
    if (telling.test(key)) throw conflict(`a global pax header sets ${shown(key)} for every entry`);
  }
}

function* paxRecords(body: Buffer): Generator<{ key: string; value: Buffer }> {
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? "" : body.toString("latin1", at, space);
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = body.indexOf(0x3d, space + 1);
    if (length < 5 || end > body.length || equals < space + 2 || equals >= end || body[end - 1] !== 0x0a) {
      throw unpackErrors.make("UNPACK_HEADER_BAD", "expected pax records, found one that is none");
    }
    yield { key: utf8(body.subarray(space + 1, equals)), value: body.subarray(equals + 1, end - 1) };
    at = end;
  }
}

function readSparse(
  records: ReadonlyMap<string, Buffer>,
  pairs: readonly { readonly key: string; readonly value: Buffer }[],
): PaxSparse | undefined {
  const major = records.get("GNU.sparse.major")?.toString("latin1");
  const has = pairs.length > 0 || [...records.keys()].some((key) => key.startsWith(sparsePrefix));
  if (!has) return undefined;
  const real = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  if (real === undefined) throw invalid("expected the real size of a sparse file, found none");
  if (records.has("GNU.sparse.realsize") && records.has("GNU.sparse.size"))
    throw invalid("a sparse file has two sizes");
  const realSize = decimal(real, "size");
  const named = records.get("GNU.sparse.name");
  const name = named === undefined ? {} : { name: utf8(named) };
  if (major === "1" && records.get("GNU.sparse.minor")?.toString("latin1") === "0") {
    if (pairs.length > 0 || records.has("GNU.sparse.map")) throw conflict("a sparse file has two maps");
    return { realSize, ...name, inContent: true };
  }
  if (major !== undefined && major !== "0")
    throw invalid(`expected sparse format 0.0, 0.1 or 1.0, found ${shown(major)}`);
  const map = records.get("GNU.sparse.map");
  if (map !== undefined && pairs.length > 0) throw conflict("a sparse file has two maps");
  const numbers =
    map === undefined
      ? pairs.map(({ key, value }, index) => {
          if (key !== (index % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes")) {
            throw invalid("expected offsets and lengths in turn");
          }
          return decimal(value, "piece");
        })
      : map.length === 0
        ? []
        : map
            .toString("latin1")
            .split(",")
            .map((word) => decimal(Buffer.from(word, "latin1"), "piece"));
  return { realSize, ...name, inContent: false, pieces: piecesOf(numbers, records.get("GNU.sparse.numblocks")) };
}

function piecesOf(numbers: readonly number[], count: Buffer | undefined): SparsePiece[] {
  if (numbers.length % 2 !== 0 || (count !== undefined && decimal(count, "count") !== numbers.length / 2)) {
    throw invalid("expected as many pieces as the header says, found others");
  }
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    pieces.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  }
  return pieces;
}

function text<Name extends string>(
  records: ReadonlyMap<string, Buffer>,
  key: string,
  name: Name,
): Partial<Record<Name, string>> {
  const value = records.get(key);
  if (value === undefined) return {};
  const read = utf8(value);
  if (read === "" || read.includes("\0")) {
    const code = key === "linkpath" ? "UNPACK_LINK_INVALID" : "UNPACK_NAME_INVALID";
    if (read !== "" || key === "path" || key === "linkpath") {
      throw unpackErrors.make(code, `expected a ${key}, found ${read === "" ? "none" : "a NUL byte in it"}`);
    }
  }
  return { [name]: read } as Partial<Record<Name, string>>;
}

function whole<Name extends string>(records: ReadonlyMap<string, Buffer>, name: Name): Partial<Record<Name, number>> {
  const value = records.get(name);
  return value === undefined ? {} : ({ [name]: decimal(value, name) } as Partial<Record<Name, number>>);
}

function time(records: ReadonlyMap<string, Buffer>): { mtime?: number } {
  const value = records.get("mtime")?.toString("latin1");
  if (value === undefined) return {};
  if (!/^-?[0-9]{1,15}(?:\.[0-9]{0,20})?$/.test(value)) {
    throw unpackErrors.make("UNPACK_HEADER_BAD", `expected seconds, found ${shown(value)}`);
  }
  return { mtime: Number(value) };
}

/** A decimal number of a pax header. @throws UNPACK_NUMBER_NEGATIVE | UNPACK_HEADER_BAD */
export function decimal(value: Buffer, what: string): number {
  const written = value.toString("latin1");
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(written)) return Number(written);
  if (written.startsWith("-")) {
    throw unpackErrors.make("UNPACK_NUMBER_NEGATIVE", `expected a ${what} of 0 or more, found ${shown(written)}`);
  }
  throw unpackErrors.make("UNPACK_HEADER_BAD", `expected a ${what} in decimal, found ${shown(written)}`);
}

function conflict(found: string): Error {
  return unpackErrors.make("UNPACK_HEADER_CONFLICT", `expected headers that agree: ${found}`);
}

function invalid(message: string): Error {
  return unpackErrors.make("UNPACK_SPARSE_INVALID", message);
}
