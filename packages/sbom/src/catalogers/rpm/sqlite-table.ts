import { type ByteSource, Content, databaseMalformed, largestHeader, readPiece } from "./page-file.ts";
import { readWriteAheadLog } from "./sqlite-log.ts";

/** What a column holds. Numbers of 64 bits beyond 2^53 and floating ones are NaN: no column here needs them. */
export type Column = null | number | string | Uint8Array;

const mostPages = 4_000_000;

/**
 * Rows of one ordinary table of a SQLite database, read from its pages alone ("Database File Format"): no statement is
 * run, so that no view, trigger, virtual table or index of a hostile database has any say.
 * @throws SBOM_RPM_DATABASE_MALFORMED
 */
export function* readSqliteTable(source: ByteSource, name: string, log?: ByteSource): Generator<readonly Column[]> {
  const pages = new Pages(source, log);
  for (const [type, rowName, , root, sql] of tableRows(pages, 1)) {
    if (type !== "table" || rowName !== name) continue;
    if (typeof root !== "number" || root < 1 || typeof sql !== "string" || !/^\s*create\s+table\b/i.test(sql)) {
      throw databaseMalformed(`expected ${name} as an ordinary table`);
    }
    yield* tableRows(pages, root);
    return;
  }
  throw databaseMalformed(`expected a table ${name}`);
}

class Pages {
  readonly #source: ByteSource;
  readonly #log: ByteSource | undefined;
  readonly #logged: ReadonlyMap<number, number>;
  readonly size: number;
  /** Bytes of a page that are used. */
  readonly usable: number;
  readonly content: Content;

  constructor(source: ByteSource, log: ByteSource | undefined) {
    const header = readPiece(source, 0, 100);
    if (header.toString("latin1", 0, 16) !== "SQLite format 3\0") throw databaseMalformed("expected a SQLite database");
    const written = header.readUInt16BE(16);
    this.size = written === 1 ? 65_536 : written;
    this.usable = this.size - (header[20] ?? 0);
    const isPower = (this.size & (this.size - 1)) === 0;
    if (this.size < 512 || !isPower || this.usable < 480) {
      throw databaseMalformed(`expected pages of a size, found ${this.size}`);
    }
    if (header.readUInt32BE(56) > 1) throw databaseMalformed("expected text in UTF-8");
    this.content = new Content(source.size + (log?.size ?? 0));
    this.#source = source;
    this.#log = log;
    this.#logged = log === undefined ? new Map() : readWriteAheadLog(log, this.size);
  }

  read(page: number): Buffer {
    const logged = this.#logged.get(page);
    if (logged !== undefined && this.#log !== undefined) return readPiece(this.#log, logged, this.size);
    return readPiece(this.#source, (page - 1) * this.size, this.size);
  }
}

/** Rows of the tree below a page, in order. */
function* tableRows(pages: Pages, root: number): Generator<readonly Column[]> {
  const seen = new Set<number>();
  const waiting = [root];
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (seen.has(number) || seen.size > mostPages) throw databaseMalformed(`page ${number} is met twice`);
    seen.add(number);
    const page = pages.read(number);
    const start = number === 1 ? 100 : 0;
    const type = page[start];
    const count = page.readUInt16BE(start + 3);
    const isLeaf = type === 13;
    if (!isLeaf && type !== 5) throw databaseMalformed(`expected page ${number} to be of a table, found type ${type}`);
    const cells = start + (isLeaf ? 8 : 12);
    if (cells + 2 * count > pages.usable) throw databaseMalformed(`page ${number} has too many cells`);
    const places = Array.from({ length: count }, (_, index) => page.readUInt16BE(cells + 2 * index));
    if (isLeaf) {
      for (const place of places) yield recordOf(payloadAt(pages, page, place));
      continue;
    }
    const children = places.map((place) => {
      if (place + 4 > pages.usable) throw databaseMalformed(`page ${number} has a cell outside`);
      return page.readUInt32BE(place);
    });
    waiting.push(page.readUInt32BE(start + 8), ...children.reverse());
  }
}

/** The whole payload of a cell, with what flows over to other pages. */
function payloadAt(pages: Pages, page: Buffer, place: number): Buffer {
  const length = varint(page, place);
  const rowId = varint(page, length.end);
  const size = length.value;
  if (!(size <= largestHeader)) throw databaseMalformed(`expected a row of at most ${largestHeader} bytes`);
  pages.content.take(size);
  const most = pages.usable - 35;
  const least = Math.floor(((pages.usable - 12) * 32) / 255) - 23;
  const kept = least + ((size - least) % (pages.usable - 4));
  const local = size <= most ? size : kept <= most ? kept : least;
  const from = rowId.end;
  if (from + local + (local < size ? 4 : 0) > page.length) throw databaseMalformed("a row lies outside its page");
  const parts = [page.subarray(from, from + local)];
  let next = local < size ? page.readUInt32BE(from + local) : 0;
  for (let left = size - local; left > 0; ) {
    if (next === 0) throw databaseMalformed("a row ends too early");
    const overflow = pages.read(next);
    const part = overflow.subarray(4, 4 + Math.min(left, pages.usable - 4));
    parts.push(part);
    left -= part.length;
    next = overflow.readUInt32BE(0);
  }
  return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
}

function recordOf(payload: Buffer): readonly Column[] {
  const header = varint(payload, 0);
  const columns: Column[] = [];
  let at = header.end;
  let place = header.value;
  if (!(place <= payload.length)) throw databaseMalformed("the header of a row is longer than the row");
  while (at < header.value) {
    const { value: type, end } = varint(payload, at);
    const length = type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? Number.NaN);
    if (!(place + length <= payload.length)) throw databaseMalformed("a column lies outside its row");
    columns.push(columnOf(payload.subarray(place, place + length), type));
    place += length;
    at = end;
  }
  return columns;
}

function columnOf(bytes: Buffer, type: number): Column {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type >= 1 && type <= 5) return bytes.readIntBE(0, bytes.length);
  if (type < 12) return Number.NaN;
  return type % 2 === 0 ? bytes : bytes.toString("utf8");
}

/** A number of up to nine bytes; NaN beyond 2^53. */
function varint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) throw databaseMalformed("a number lies outside its page");
    value = index === 8 ? value * 256 + byte : value * 128 + (byte & 0x7f);
    if (byte < 0x80 || index === 8) {
      return { value: Number.isSafeInteger(value) ? value : Number.NaN, end: at + index + 1 };
    }
  }
  throw databaseMalformed("a number is too long");
}
