import { type ByteSource, Content, databaseMalformed, largestHeader, mostHeaders, readPiece } from "./page-file.ts";

const hashMagic = 0x0006_1561;
const pageHeader = 26;
const [hashUnsorted, overflow, hashMeta, hash] = [2, 7, 8, 13];
const [onPage, offPage] = [1, 3];

interface Page {
  readonly bytes: Buffer;
  readonly next: number;
  readonly entries: number;
  /** Bytes used on an overflow page; where free space ends on others. */
  readonly filled: number;
  readonly type: number;
}

/**
 * Headers of the packages in a Berkeley DB hash (`Packages`), of either byte order. Keys are numbers of packages; that of
 * zero holds the last number given. @throws SBOM_RPM_DATABASE_MALFORMED
 */
export function* readBerkeleyHash(source: ByteSource): Generator<Uint8Array> {
  const database = new BerkeleyFile(source);
  const seen = new Set<number>();
  let found = 0;
  for (let bucket = 0; bucket <= database.lastBucket; bucket++) {
    for (let number = database.pageOfBucket(bucket); number !== 0; ) {
      if (seen.has(number)) throw databaseMalformed(`page ${number} is met twice`);
      seen.add(number);
      const page = database.page(number);
      if (page.type !== hash && page.type !== hashUnsorted) {
        throw databaseMalformed(`expected page ${number} to be of a hash, found type ${page.type}`);
      }
      for (let index = 0; index + 1 < page.entries; index += 2) {
        const key = database.entry(page, index);
        if (key.length !== 4 || key.every((byte) => byte === 0)) continue;
        if (++found > mostHeaders) throw databaseMalformed(`expected at most ${mostHeaders} packages`);
        yield database.entry(page, index + 1);
      }
      number = page.next;
    }
  }
}

class BerkeleyFile {
  readonly #source: ByteSource;
  readonly #pageSize: number;
  readonly #littleEndian: boolean;
  readonly #spares: readonly number[];
  readonly #content: Content;
  readonly lastBucket: number;

  constructor(source: ByteSource) {
    const meta = readPiece(source, 0, 512);
    this.#source = source;
    this.#content = new Content(source.size);
    this.#littleEndian = meta.readUInt32LE(12) === hashMagic;
    if (!this.#littleEndian && meta.readUInt32BE(12) !== hashMagic)
      throw databaseMalformed("expected a hash of Berkeley DB");
    const version = this.#u32(meta, 16);
    this.#pageSize = this.#u32(meta, 20);
    const isPower = (this.#pageSize & (this.#pageSize - 1)) === 0;
    if (version < 8 || version > 10 || !isPower || this.#pageSize < 512 || this.#pageSize > 65_536) {
      throw databaseMalformed(`expected a hash of version 8 to 10, found ${version} with pages of ${this.#pageSize}`);
    }
    if (meta[24] !== 0) throw databaseMalformed("the database is encrypted");
    this.lastBucket = this.#u32(meta, 72);
    if (this.lastBucket > source.size / this.#pageSize) throw databaseMalformed("the database has too many buckets");
    this.#spares = Array.from({ length: 32 }, (_, index) => this.#u32(meta, 96 + 4 * index));
  }

  /** Buckets are made in doublings; each doubling lies in one piece, and its spare says where. */
  pageOfBucket(bucket: number): number {
    return bucket + (this.#spares[bucket === 0 ? 0 : 32 - Math.clz32(bucket)] ?? 0);
  }

  page(number: number): Page {
    const bytes = readPiece(this.#source, number * this.#pageSize, this.#pageSize);
    if (this.#u32(bytes, 8) !== number) throw databaseMalformed(`expected page ${number}`);
    return {
      bytes,
      next: this.#u32(bytes, 16),
      entries: Math.min(this.#u16(bytes, 20), (this.#pageSize - pageHeader) / 2),
      filled: this.#u16(bytes, 22),
      type: bytes[25] ?? hashMeta,
    };
  }

  /** A key or a value: entries lie from the end of the page downwards. */
  entry(page: Page, index: number): Uint8Array {
    const start = this.#u16(page.bytes, pageHeader + 2 * index);
    const end = index === 0 ? this.#pageSize : this.#u16(page.bytes, pageHeader + 2 * (index - 1));
    if (start < pageHeader || start >= end || end > this.#pageSize) throw databaseMalformed("an entry lies outside");
    const kind = page.bytes[start];
    this.#content.take(end - start);
    if (kind === onPage) return page.bytes.subarray(start + 1, end);
    if (kind !== offPage || end - start < 12) throw databaseMalformed(`expected a key or a value, found kind ${kind}`);
    return this.#chain(this.#u32(page.bytes, start + 4), this.#u32(page.bytes, start + 8));
  }

  #chain(first: number, length: number): Uint8Array {
    if (length > largestHeader || length > this.#source.size) {
      throw databaseMalformed(`expected a value of at most ${largestHeader} bytes, found ${length}`);
    }
    this.#content.take(length);
    const parts: Buffer[] = [];
    let left = length;
    for (let number = first; left > 0; ) {
      const { bytes, next, filled, type } = this.page(number);
      if (type !== overflow || filled === 0 || pageHeader + filled > this.#pageSize || filled > left) {
        throw databaseMalformed(`expected page ${number} to hold more of a value`);
      }
      parts.push(bytes.subarray(pageHeader, pageHeader + filled));
      left -= filled;
      number = next;
    }
    return Buffer.concat(parts);
  }

  #u32(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #u16(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }
}
