import type { UnpackBudget } from "./budget.ts";
import { unpackErrors } from "./errors.ts";
import type { LayerHeader, SparsePiece } from "./layer-entry.ts";
import { entryOf, type Prelude } from "./layer-header.ts";
import { checkGlobalPax, readPax } from "./pax.ts";
import { checkPieces, SparseMapReader } from "./sparse.ts";
import { TAR_RECORD, utf8 } from "./tar-field.ts";
import { type RawHeader, readHeader, readSparseRecord } from "./tar-header.ts";

/** Who hears what a layer holds, in order, while its bytes come in. */
export interface LayerSink {
  entry(header: LayerHeader): void;
  /** Bytes of the file, and where in it they stand. Valid during the call only as far as the caller's chunk is. */
  content(bytes: Buffer, offset: number): void;
  /** The entry is complete. */
  done(): void;
}

type State = "header" | "meta" | "sparse-records" | "sparse-map" | "content" | "padding" | "end";

/** GNU's old sparse format: pieces in records behind the header. */
interface OldSparse {
  readonly raw: RawHeader;
  readonly pieces: SparsePiece[];
}

/** GNU's sparse format 1.0: pieces in front of the content. */
interface SparseMap {
  readonly reader: SparseMapReader;
  readonly raw: RawHeader;
  readonly prelude: Prelude;
  readonly stored: number;
}

/**
 * Reads the tar archive of a layer as it streams by, in flat memory: v7, ustar, pax and GNU, with long names, base-256
 * numbers, sparse files and extended attributes. What two readers could read in two ways is refused. (SPEC X1, X2)
 */
export class LayerParser {
  readonly #budget: UnpackBudget;
  readonly #sink: LayerSink;
  #state: State = "header";
  readonly #record = Buffer.alloc(TAR_RECORD);
  #recordFill = 0;
  #zeros = 0;
  #entries = 0;
  #left = 0;
  #padding = 0;
  #prelude: Prelude = {};
  #meta: { type: string; parts: Buffer[] } = { type: "", parts: [] };
  #sparse: OldSparse | undefined;
  #map: SparseMap | undefined;
  #pieces: readonly SparsePiece[] | undefined;
  #piece = 0;
  #offset = 0;

  constructor(budget: UnpackBudget, sink: LayerSink) {
    this.#budget = budget;
    this.#sink = sink;
  }

  /** Entries so far, whiteouts included. */
  get entries(): number {
    return this.#entries;
  }

  /** Takes the next bytes. @throws every UNPACK_ code of SPEC X1 to X4 */
  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case "header":
        case "end":
        case "sparse-records":
          at = this.#takeRecord(chunk, at);
          break;
        case "padding": {
          const skipped = Math.min(this.#padding, chunk.length - at);
          this.#padding -= skipped;
          at += skipped;
          if (this.#padding === 0) this.#state = "header";
          break;
        }
        default:
          at = this.#takeContent(chunk, at);
      }
    }
  }

  /** No more bytes come. @throws UNPACK_TRUNCATED */
  end(): void {
    // Some writers leave the two zero records out, umoci's insert even the padding in front of them; a layer that was cut
    // off there does not have its diffID.
    const isBetween =
      this.#state === "padding" || ((this.#state === "header" || this.#state === "end") && this.#recordFill === 0);
    if (!isBetween) throw unpackErrors.make("UNPACK_TRUNCATED", "expected a whole entry, found the end of the layer");
    if (Object.keys(this.#prelude).length > 0) {
      throw unpackErrors.make("UNPACK_TRUNCATED", "expected an entry behind a pax or GNU header, found the end");
    }
  }

  #takeRecord(chunk: Buffer, at: number): number {
    let block: Buffer;
    let next: number;
    if (this.#recordFill === 0 && chunk.length - at >= TAR_RECORD) {
      next = at + TAR_RECORD;
      block = chunk.subarray(at, next);
    } else {
      const count = Math.min(TAR_RECORD - this.#recordFill, chunk.length - at);
      chunk.copy(this.#record, this.#recordFill, at, at + count);
      this.#recordFill += count;
      next = at + count;
      if (this.#recordFill < TAR_RECORD) return next;
      block = this.#record;
      this.#recordFill = 0;
    }
    if (this.#state === "sparse-records") this.#sparseRecord(block);
    else this.#headerRecord(block);
    return next;
  }

  #headerRecord(block: Buffer): void {
    const isZero = block[0] === 0 && block.every((byte) => byte === 0);
    if (this.#state === "end") {
      if (!isZero) throw trailing("bytes behind the end of the archive");
      return;
    }
    if (isZero) {
      if (++this.#zeros === 2) this.#state = "end";
      return;
    }
    if (this.#zeros > 0) throw trailing("an entry behind a zero record");
    const raw = readHeader(block);
    if (/[xgLK]/.test(raw.type)) return this.#beginMeta(raw);
    const { sparse } = raw;
    if (sparse === undefined) return this.#beginEntry(raw, undefined);
    this.#sparse = { raw, pieces: [...sparse.pieces] };
    if (sparse.isExtended) this.#state = "sparse-records";
    else this.#beginEntry(raw, this.#sparse.pieces);
  }

  #sparseRecord(block: Buffer): void {
    const sparse = this.#sparse as OldSparse;
    const { pieces, isExtended } = readSparseRecord(block);
    sparse.pieces.push(...pieces);
    if (sparse.pieces.length > this.#budget.limits.sparsePieces) {
      throw unpackErrors.make("UNPACK_SPARSE_INVALID", "expected fewer pieces of a sparse file, found more");
    }
    if (!isExtended) this.#beginEntry(sparse.raw, sparse.pieces);
  }

  #beginMeta(raw: RawHeader): void {
    const { headerBytes } = this.#budget.limits;
    if (raw.size > headerBytes) {
      throw unpackErrors.make("UNPACK_HEADER_TOO_LARGE", `expected headers of ${headerBytes} bytes, found ${raw.size}`);
    }
    // A layer made of headers alone costs as much as one of entries.
    this.#budget.entry();
    this.#meta = { type: raw.type, parts: [] };
    this.#beginContent("meta", raw.size);
  }

  #beginEntry(raw: RawHeader, oldSparse: readonly SparsePiece[] | undefined): void {
    const prelude = this.#prelude;
    this.#prelude = {};
    this.#sparse = undefined;
    const { pax } = prelude;
    if (oldSparse === undefined && pax?.sparse?.inContent === true) {
      const reader = new SparseMapReader(this.#budget.limits.sparsePieces);
      this.#map = { reader, raw, prelude, stored: pax.size ?? raw.size };
      this.#padding = (TAR_RECORD - (this.#map.stored % TAR_RECORD)) % TAR_RECORD;
      this.#left = this.#map.stored;
      this.#state = "sparse-map";
      if (this.#left === 0) throw unpackErrors.make("UNPACK_SPARSE_INVALID", "expected the map of a sparse file");
      return;
    }
    const pieces = oldSparse ?? pax?.sparse?.pieces;
    this.#open(raw, prelude, pieces, undefined);
  }

  /** @param mapBytes bytes of the content that were a map */
  #open(
    raw: RawHeader,
    prelude: Prelude,
    pieces: readonly SparsePiece[] | undefined,
    mapBytes: number | undefined,
  ): void {
    this.#entries++;
    this.#budget.entry();
    const { header, stored } = entryOf(raw, prelude, pieces, this.#budget.limits);
    const rest = stored - (mapBytes ?? 0);
    this.#budget.file(Math.max(header.size, stored));
    if (header.sparse !== undefined) {
      checkPieces(header.sparse, header.size, rest);
      this.#budget.apparent(header.size - rest);
    }
    this.#pieces = header.sparse;
    this.#piece = 0;
    this.#offset = 0;
    this.#sink.entry(header);
    if (mapBytes === undefined) this.#beginContent("content", stored);
    else {
      this.#left = rest;
      this.#state = "content";
      if (rest === 0) this.#finish();
    }
  }

  #beginContent(state: "content" | "meta", size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (TAR_RECORD - (size % TAR_RECORD)) % TAR_RECORD;
    if (size === 0) this.#finish();
  }

  #takeContent(chunk: Buffer, at: number): number {
    if (this.#state === "sparse-map") return this.#takeMap(chunk, at);
    const end = Math.min(at + this.#left, chunk.length);
    const bytes = chunk.subarray(at, end);
    this.#left -= bytes.length;
    if (this.#state === "meta") this.#meta.parts.push(Buffer.from(bytes));
    else if (this.#pieces === undefined) {
      this.#sink.content(bytes, this.#offset);
      this.#offset += bytes.length;
    } else this.#spread(bytes, this.#pieces);
    if (this.#left === 0) this.#finish();
    return end;
  }

  #takeMap(chunk: Buffer, at: number): number {
    const map = this.#map as SparseMap;
    const count = Math.min(TAR_RECORD - this.#recordFill, this.#left, chunk.length - at);
    chunk.copy(this.#record, this.#recordFill, at, at + count);
    this.#recordFill += count;
    this.#left -= count;
    if (this.#recordFill === TAR_RECORD) {
      this.#recordFill = 0;
      if (map.reader.take(this.#record)) {
        this.#map = undefined;
        this.#open(map.raw, map.prelude, map.reader.pieces, map.stored - this.#left);
        return at + count;
      }
    }
    if (this.#left === 0) throw unpackErrors.make("UNPACK_SPARSE_INVALID", "expected the map of a sparse file to end");
    return at + count;
  }

  /** Hands packed bytes of a sparse file to where they belong. */
  #spread(bytes: Buffer, pieces: readonly SparsePiece[]): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = pieces[this.#piece] as SparsePiece;
      const count = Math.min(piece.length - this.#offset, bytes.length - at);
      if (count > 0) this.#sink.content(bytes.subarray(at, at + count), piece.offset + this.#offset);
      at += count;
      this.#offset += count;
      if (this.#offset === piece.length) {
        this.#piece++;
        this.#offset = 0;
      }
    }
  }

  #finish(): void {
    const wasMeta = this.#state === "meta";
    this.#state = this.#padding > 0 ? "padding" : "header";
    if (wasMeta) this.#readMeta();
    else this.#sink.done();
  }

  #readMeta(): void {
    const { type, parts } = this.#meta;
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.#meta = { type: "", parts: [] };
    if (type === "g") return checkGlobalPax(body);
    const name = type === "x" ? "pax" : type === "L" ? "longName" : "longTarget";
    if (this.#prelude[name] !== undefined) {
      throw unpackErrors.make("UNPACK_HEADER_CONFLICT", "expected one pax or GNU header of a kind, found two in a row");
    }
    if (name === "pax") this.#prelude.pax = readPax(body);
    else this.#prelude[name] = longText(body);
  }
}

function longText(body: Buffer): string {
  const end = body.indexOf(0);
  if (end >= 0 && body.subarray(end).some((byte) => byte !== 0)) {
    throw unpackErrors.make("UNPACK_NAME_INVALID", "expected a GNU long name, found bytes behind its end");
  }
  return utf8(end < 0 ? body : body.subarray(0, end));
}

function trailing(found: string): Error {
  return unpackErrors.make("UNPACK_TRAILING_BYTES", `expected nothing more, found ${found}`);
}
