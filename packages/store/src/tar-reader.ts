import { storeErrors } from "./errors.ts";
import { TAR_BLOCK, type TarEntry } from "./tar-header.ts";

/** Where the bytes of an archive come from: fills `buffer` whole or throws. */
export type ArchiveSource = (buffer: Uint8Array) => void;

/** Most bytes of a pax header: two paths and a size. */
const MAX_PAX_BYTES = 16 * 1024;

/**
 * Reads the next entry's header, or undefined at the end of the archive. Accepts what `tarHeader` writes and little
 * else: ustar with pax `path`, `linkpath` and `size`. The caller must read the content before asking again.
 * @throws STORE_ARCHIVE_MALFORMED | STORE_ARCHIVE_ENTRY | STORE_ARCHIVE_TOO_LARGE
 */
export function readTarEntry(source: ArchiveSource): TarEntry | undefined {
  const pax = new Map<string, string>();
  for (;;) {
    const block = Buffer.alloc(TAR_BLOCK);
    source(block);
    if (block.every((byte) => byte === 0)) return endOf(source, pax);
    checkSum(block);
    const flag = block.toString("latin1", 156, 157);
    if (flag !== "x") return entryOf(block, flag, pax);
    if (pax.size > 0) throw malformed("two pax headers in a row");
    readPax(source, octal(block, 124, 12), pax);
  }
}

function endOf(source: ArchiveSource, pax: ReadonlyMap<string, string>): undefined {
  const second = Buffer.alloc(TAR_BLOCK);
  source(second);
  if (pax.size > 0 || second.some((byte) => byte !== 0)) throw malformed("a zero record inside the archive");
  return undefined;
}

function entryOf(block: Buffer, flag: string, pax: ReadonlyMap<string, string>): TarEntry {
  const kind = ({ "0": "file", "5": "directory", "2": "symlink" } as const)[flag];
  if (kind === undefined) {
    throw storeErrors.make("STORE_ARCHIVE_ENTRY", `expected files, found an entry of type ${JSON.stringify(flag)}`);
  }
  let path = pax.get("path") ?? text(block, 0, 100);
  if (kind === "directory") {
    if (!path.endsWith("/")) throw malformed("a directory without a final slash");
    path = path.slice(0, -1);
  }
  const size = pax.has("size") ? decimal(pax.get("size") as string) : octal(block, 124, 12);
  if (kind !== "file" && size !== 0) throw malformed("content in an entry that has none");
  const mode = octal(block, 100, 8);
  if (mode > 0o777) {
    throw storeErrors.make("STORE_ARCHIVE_ENTRY", `expected permission bits only, found mode ${mode.toString(8)}`);
  }
  const entry = { path, kind, size, mode, mtime: octal(block, 136, 12) };
  if (kind !== "symlink") return entry;
  return { ...entry, target: pax.get("linkpath") ?? text(block, 157, 100) };
}

function readPax(source: ArchiveSource, size: number, pax: Map<string, string>): void {
  if (size > MAX_PAX_BYTES) {
    throw storeErrors.make("STORE_ARCHIVE_TOO_LARGE", `expected pax headers of at most ${MAX_PAX_BYTES} bytes`);
  }
  const padded = Buffer.alloc(Math.ceil(size / TAR_BLOCK) * TAR_BLOCK);
  source(padded);
  const body = padded.subarray(0, size);
  for (let at = 0; at < size; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? 0 : decimal(body.toString("latin1", at, space));
    const record = body.subarray(space + 1, at + length);
    const equals = record.indexOf(0x3d);
    if (length < 5 || at + length > size || equals < 1 || record[record.length - 1] !== 0x0a) {
      throw malformed("a pax record that is none");
    }
    const key = record.toString("latin1", 0, equals);
    if (!["path", "linkpath", "size"].includes(key) || pax.has(key)) {
      throw malformed(`the pax record ${JSON.stringify(key.slice(0, 40))}`);
    }
    pax.set(key, utf8(record.subarray(equals + 1, -1)));
    at += length;
  }
}

function checkSum(block: Buffer): void {
  if (block.toString("latin1", 257, 265) !== "ustar\x0000") throw malformed("a record that is no ustar header");
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] as number;
  if (octal(block, 148, 7) !== sum) throw malformed("a header with a wrong checksum");
  // The name prefix and the owner names are never used here: whoever fills them speaks another dialect.
  if (block.subarray(265, 329).some((byte) => byte !== 0) || block.subarray(345, 500).some((byte) => byte !== 0)) {
    throw malformed("owner names or a name prefix");
  }
}

function octal(block: Buffer, offset: number, length: number): number {
  const match = /^([0-7]+)[\0 ]+$/.exec(block.toString("latin1", offset, offset + length));
  if (match === null) throw malformed("a number that is not octal");
  return Number.parseInt(match[1] as string, 8);
}

function decimal(value: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(value)) throw malformed("a number that is not decimal");
  return Number(value);
}

function text(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  if (end >= 0 && field.subarray(end).some((byte) => byte !== 0)) throw malformed("text after the end of a name");
  return utf8(end < 0 ? field : field.subarray(0, end));
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("a name that is not UTF-8");
  }
}

function malformed(found: string): Error {
  return storeErrors.make("STORE_ARCHIVE_MALFORMED", `expected a backup, found ${found}`);
}
