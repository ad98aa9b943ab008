import type { ByteStream } from "./byte-stream.ts";
import type { LayerEntryLike, TreeEntryKind } from "./entry.ts";
import { isArchiveName, plainName } from "./entry-name.ts";
import { sourceErrors } from "./errors.ts";

const block = 512;
/** A long name or a record of pax is read up to here. */
const longestRecord = 2 ** 20;

/** An entry of a tar archive, or the name of one that is not taken. */
export type TarEntry = LayerEntryLike | { readonly refused: string };

interface Overrides {
  path?: string;
  target?: string;
  size?: number;
  sparse?: boolean;
}

/**
 * Entries of a tar archive (POSIX ustar and pax, GNU's long names and base-256 numbers), without changes of what they
 * say but for `./` and final slashes. Sparse files are given as other entries: what they hold is not read.
 * @throws SBOM_ARCHIVE_MALFORMED
 */
export async function* tarEntries(stream: ByteStream): AsyncGenerator<TarEntry> {
  let overrides: Overrides = {};
  let lasting: Overrides = {};
  for (let isFirst = true; ; isFirst = false) {
    const header = await stream.take(block);
    if (header.length === 0 && !isFirst) return;
    if (header.length < block) throw malformed(`headers of ${block} bytes, found ${header.length} at the end`);
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = overrides.size ?? lasting.size ?? numberAt(header, 124, 12);
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      const body = await record(stream, numberAt(header, 124, 12));
      if (type === "L") overrides = { ...overrides, path: textOf(body) };
      else if (type === "K") overrides = { ...overrides, target: textOf(body) };
      else if (type === "x") overrides = { ...overrides, ...paxFields(body) };
      else lasting = { ...lasting, ...paxFields(body) };
      continue;
    }
    // The map of an old sparse file goes on in blocks behind its header.
    if (type === "S" && header[482] === 1) {
      for (let isExtended = true; isExtended; ) isExtended = (await stream.take(block))[504] === 1;
    }
    const named = { ...lasting, ...overrides };
    overrides = {};
    yield* entryOf(stream, header, type, size, named);
  }
}

async function* entryOf(
  stream: ByteStream,
  header: Buffer,
  type: string,
  written: number,
  named: Overrides,
): AsyncGenerator<TarEntry> {
  const raw = named.path ?? headerName(header);
  const kind = named.sparse === true ? undefined : kinds.get(type);
  // A directory of old archives is a file whose name ends in a slash; links and devices have no content.
  const isDirectory = kind === "directory" || (kind === "file" && raw.endsWith("/"));
  const size = kind === undefined || kind === "file" ? written : 0;
  let left = size;
  async function* content(): AsyncGenerator<Uint8Array> {
    while (left > 0) {
      const piece = await stream.some(left);
      if (piece === undefined) throw malformed(`${left} more bytes of a file, found the end`);
      left -= piece.length;
      yield piece;
    }
  }
  const path = plainName(raw);
  const target = named.target ?? textOf(header.subarray(157, 257));
  if (path === undefined || !isArchiveName(path)) {
    yield { refused: raw };
  } else {
    yield {
      path,
      kind: isDirectory ? "directory" : (kind ?? "fifo"),
      mode: numberAt(header, 100, 8) & 0o7777,
      size: kind === "file" && !isDirectory ? size : 0,
      ...(kind === "hardlink" && { target: plainName(target) ?? "" }),
      ...(kind === "symlink" && { target }),
      content,
    };
  }
  const rest = left + ((block - (size % block)) % block);
  const skipped = await stream.skip(rest);
  if (skipped < left) throw malformed(`${left} more bytes of a file, found ${skipped}`);
}

const kinds: ReadonlyMap<string, TreeEntryKind> = new Map([
  ["0", "file"],
  ["\0", "file"],
  ["7", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["3", "character-device"],
  ["4", "block-device"],
  ["5", "directory"],
  ["6", "fifo"],
]);

async function record(stream: ByteStream, size: number): Promise<Buffer> {
  if (size > longestRecord) throw malformed(`a record of at most ${longestRecord} bytes, found ${size}`);
  const body = await stream.take(size);
  if (body.length < size) throw malformed(`a record of ${size} bytes, found ${body.length}`);
  await stream.skip((block - (size % block)) % block);
  return body;
}

/** `LENGTH KEY=VALUE\n` records. */
function paxFields(body: Buffer): Overrides {
  const fields: Overrides = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString("latin1", at, space));
    if (!Number.isInteger(length) || length < 5 || at + length > body.length)
      throw malformed("records with their length");
    const text = body.toString("utf8", space + 1, at + length - 1);
    const equals = text.indexOf("=");
    const [key, value] = [text.slice(0, equals), text.slice(equals + 1)];
    if (key === "path") fields.path = value;
    else if (key === "linkpath") fields.target = value;
    else if (key === "size" && /^\d{1,15}$/.test(value)) fields.size = Number(value);
    else if (key.startsWith("GNU.sparse.")) fields.sparse = true;
    at += length;
  }
  return fields;
}

function headerName(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}

/** Octal digits, or GNU's base-256 for large ones. */
function numberAt(header: Buffer, start: number, length: number): number {
  const field = header.subarray(start, start + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x3f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value) || ((field[0] ?? 0) & 0x40) !== 0) throw malformed("sizes within reason");
    return value;
  }
  const text = textOf(field).trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw malformed(`octal digits, found ${JSON.stringify(text)}`);
  return Number.parseInt(text, 8);
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let index = 0; index < block; index++) sum += index >= 148 && index < 156 ? 32 : (header[index] ?? 0);
  if (sum !== numberAt(header, 148, 8)) throw malformed("headers with their checksum");
}

function malformed(expected: string) {
  return sourceErrors.make("SBOM_ARCHIVE_MALFORMED", `expected a tar archive with ${expected}`);
}
