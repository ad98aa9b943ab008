import type { ArchiveLedger } from "./ledger.ts";

/** Length of a tar record. */
export const TAR_RECORD = 512;

/** One header of a tar archive, before pax and GNU headers changed it. */
export interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  readonly target: string;
  readonly dialect: "ustar" | "gnu" | "old";
}

/** Reads one header; notes what no honest writer makes. */
export function readTarHeader(block: Buffer, ledger: ArchiveLedger): TarHeader {
  checkSum(block, ledger);
  const magic = block.toString("latin1", 257, 265);
  const dialect = magic === "ustar\x0000" ? "ustar" : magic === "ustar  \0" ? "gnu" : "old";
  if (dialect === "old" && block.subarray(257, 265).some((byte) => byte !== 0)) {
    ledger.fault("ARCHIVE_HEADER_BAD", `magic ${JSON.stringify(magic)}`);
  }
  const type = block.toString("latin1", 156, 157);
  const size = numberOf(block, 124, 12, "size", ledger);
  const prefix = dialect === "ustar" ? text(block, 345, 155, ledger) : "";
  // GNU and old headers keep no prefix there; a reader who takes what lies there for one sees another path.
  if (dialect !== "ustar" && type !== "S" && block.subarray(345, 500).some((byte) => byte !== 0)) {
    ledger.fault("ARCHIVE_HEADER_CONFLICT", "bytes where another dialect keeps the prefix of a path");
  }
  const name = text(block, 0, 100, ledger);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type,
    size,
    mode: numberOf(block, 100, 8, "mode", ledger),
    target: text(block, 157, 100, ledger),
    dialect,
  };
}

function checkSum(block: Buffer, ledger: ArchiveLedger): void {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_RECORD; i++) if (i < 148 || i >= 156) sum += block[i] as number;
  const written = /^ *([0-7]+)[\0 ]*$/.exec(block.toString("latin1", 148, 156))?.[1];
  if (written === undefined || Number.parseInt(written, 8) !== sum) {
    ledger.stop("ARCHIVE_HEADER_BAD", "a header with a wrong checksum");
  }
}

function numberOf(block: Buffer, at: number, length: number, what: string, ledger: ArchiveLedger): number {
  const field = block.subarray(at, at + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) !== 0) ledger.stop("ARCHIVE_SIZE_NEGATIVE", `a negative ${what}`);
    let value = BigInt(first & 0x3f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) ledger.stop("ARCHIVE_HEADER_BAD", `a ${what} beyond all bounds`);
    return Number(value);
  }
  const written = field.toString("latin1");
  if (/^ *-/.test(written)) ledger.stop("ARCHIVE_SIZE_NEGATIVE", `a negative ${what}`);
  const digits = /^[ \0]*([0-7]*)[\0 ]*$/.exec(written)?.[1];
  if (digits === undefined) ledger.stop("ARCHIVE_HEADER_BAD", `a ${what} that is not octal`);
  return digits === "" ? 0 : Number.parseInt(digits ?? "", 8);
}

/** Text up to the first NUL. Bytes behind it are seen by some readers only. */
function text(block: Buffer, at: number, length: number, ledger: ArchiveLedger): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return utf8(end === -1 ? field : field.subarray(0, end), ledger);
}

export function utf8(bytes: Uint8Array, ledger: ArchiveLedger): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const name = Buffer.from(bytes).toString("latin1");
    ledger.fault("ARCHIVE_NAME_INVALID", `${name} is not UTF-8`);
    return name;
  }
}

/** Members of a pax header. */
export function readPax(body: Buffer, ledger: ArchiveLedger): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? "" : body.toString("latin1", at, space);
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const record = body.subarray(space + 1, at + length);
    const equals = record.indexOf(0x3d);
    if (length < 5 || at + length > body.length || equals < 1 || record[record.length - 1] !== 0x0a) {
      ledger.stop("ARCHIVE_HEADER_BAD", "a pax record that is none");
    }
    const key = record.toString("latin1", 0, equals);
    const isPlain = key !== "path" && key !== "linkpath";
    if (found.has(key)) ledger.fault("ARCHIVE_HEADER_CONFLICT", `the pax record ${key} stands twice`);
    if (key.startsWith("GNU.sparse")) ledger.fault("ARCHIVE_SPARSE", `the pax record ${key}`);
    if (key === "hdrcharset") ledger.fault("ARCHIVE_HEADER_CONFLICT", "a pax header with a character set of its own");
    const value = record.subarray(equals + 1, -1);
    found.set(key, isPlain ? value.toString("latin1") : utf8(value, ledger));
    at += length;
  }
  return found;
}
