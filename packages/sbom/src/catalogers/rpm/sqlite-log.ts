import type { ByteSource } from "./page-file.ts";

const headerSize = 32;
const frameHeaderSize = 24;
const largestLog = 512 * 1024 * 1024;

/**
 * Pages of a write-ahead log that was not yet copied into its database, by number: the last committed state
 * (SQLite, "WAL-mode File Format"). What is not valid ends the log, as it does for SQLite.
 */
export function readWriteAheadLog(log: ByteSource, pageSize: number): ReadonlyMap<number, number> {
  const committed = new Map<number, number>();
  if (log.size < headerSize || log.size > largestLog) return committed;
  const header = Buffer.from(log.read(0, headerSize));
  const magic = header.readUInt32BE(0);
  if ((magic !== 0x377f_0682 && magic !== 0x377f_0683) || header.readUInt32BE(8) !== pageSize) return committed;
  const sum = new Checksum((magic & 1) === 1);
  sum.add(header.subarray(0, 24));
  if (!sum.equals(header, 24)) return committed;
  let pending = new Map<number, number>();
  const size = frameHeaderSize + pageSize;
  for (let at = headerSize; at + size <= log.size; at += size) {
    const frame = Buffer.from(log.read(at, size));
    if (frame.length < size || !frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
    sum.add(frame.subarray(0, 8));
    sum.add(frame.subarray(frameHeaderSize));
    if (!sum.equals(frame, 16)) break;
    pending.set(frame.readUInt32BE(0), at + frameHeaderSize);
    if (frame.readUInt32BE(4) === 0) continue;
    for (const [page, offset] of pending) committed.set(page, offset);
    pending = new Map();
  }
  return committed;
}

/** The running checksum of the log: two words over pairs of words. */
class Checksum {
  #first = 0;
  #second = 0;
  readonly #bigEndian: boolean;

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  add(bytes: Buffer): void {
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      this.#first = (this.#first + this.#word(bytes, at) + this.#second) >>> 0;
      this.#second = (this.#second + this.#word(bytes, at + 4) + this.#first) >>> 0;
    }
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }

  #word(bytes: Buffer, at: number): number {
    return this.#bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
  }
}
