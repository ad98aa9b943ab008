import { unpackErrors } from "./errors.ts";

const frameMagic = 0xfd2fb528;
/** The last four bits are free. */
const skippableMagic = 0x184d2a50;

/** What the walker waits for next: so many bytes, then this. */
type Step = "magic" | "skip-size" | "skip" | "descriptor" | "header" | "block-header" | "block" | "checksum";

/**
 * Walks the frames of a zstd stream (RFC 8878, 3.1) and cuts it where one ends. Node's decompressor drops, without a
 * word, whatever stands behind the first frame of a write: another reader sees more. Here every frame is read, and
 * anything that is no frame is refused.
 */
export class ZstdFrames {
  readonly #windowBytes: number;
  #step: Step = "magic";
  #need = 4;
  #held = Buffer.alloc(16);
  #fill = 0;
  #hasChecksum = false;
  #isLast = false;

  /** @param windowBytes most memory that a frame may demand */
  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** True between frames, where a stream may end. */
  get isBetween(): boolean {
    return this.#step === "magic" && this.#fill === 0;
  }

  /** Pieces of the chunk, cut behind each frame. @throws UNPACK_TRAILING_BYTES | UNPACK_COMPRESSION_INVALID */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length || this.#need === 0; ) {
      const count = Math.min(this.#need - this.#fill, chunk.length - at);
      const keeps = this.#step !== "skip" && this.#step !== "block" && this.#step !== "checksum";
      if (keeps) chunk.copy(this.#held, this.#fill, at, at + count);
      this.#fill += count;
      at += count;
      if (this.#fill < this.#need) break;
      this.#fill = 0;
      this.#next();
      if (this.#step === "magic" && at > start) {
        pieces.push(chunk.subarray(start, at));
        start = at;
      }
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }

  #next(): void {
    switch (this.#step) {
      case "magic":
        return this.#magic(this.#held.readUInt32LE(0));
      case "skip-size":
        return this.#await("skip", this.#held.readUInt32LE(0));
      case "descriptor":
        return this.#descriptor(this.#held[0] as number);
      case "header":
        this.#window();
        return this.#await("block-header", 3);
      case "block-header": {
        const header = this.#held.readUIntLE(0, 3);
        this.#isLast = (header & 1) === 1;
        // A block of one repeated byte has its size in the header, and one byte of content.
        return this.#await("block", ((header >> 1) & 3) === 1 ? 1 : header >> 3);
      }
      case "block":
        if (!this.#isLast) return this.#await("block-header", 3);
        return this.#hasChecksum ? this.#await("checksum", 4) : this.#await("magic", 4);
      default:
        return this.#await("magic", 4);
    }
  }

  #magic(magic: number): void {
    if (magic === frameMagic) return this.#await("descriptor", 1);
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) return this.#await("skip-size", 4);
    throw unpackErrors.make("UNPACK_TRAILING_BYTES", "expected zstd frames alone, found other bytes behind one");
  }

  #descriptor(descriptor: number): void {
    if ((descriptor & 0x08) !== 0) throw invalid("expected a zstd frame, found a reserved bit set");
    if ((descriptor & 0x03) !== 0) throw invalid("expected zstd without a dictionary, found one named");
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const isSingle = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag;
    this.#await("header", (isSingle ? 0 : 1) + sizeBytes);
    // For `#window`, behind the bytes that come.
    this.#held[15] = descriptor;
  }

  #window(): void {
    const descriptor = this.#held[15] as number;
    const isSingle = (descriptor & 0x20) !== 0;
    let bytes: number;
    if (isSingle) {
      const flag = descriptor >> 6;
      bytes =
        flag === 0
          ? (this.#held[0] as number)
          : flag === 1
            ? this.#held.readUInt16LE(0) + 256
            : flag === 2
              ? this.#held.readUInt32LE(0)
              : Number(this.#held.readBigUInt64LE(0));
    } else {
      const window = this.#held[0] as number;
      const base = 2 ** (10 + (window >> 3));
      bytes = base + (base / 8) * (window & 7);
    }
    if (bytes > this.#windowBytes)
      throw invalid(`expected a zstd window of ${this.#windowBytes} bytes, found ${bytes}`);
  }

  #await(step: Step, need: number): void {
    this.#step = step;
    this.#need = need;
  }
}

function invalid(message: string): Error {
  return unpackErrors.make("UNPACK_COMPRESSION_INVALID", message);
}
