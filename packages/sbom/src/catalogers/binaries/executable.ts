import { binaryErrors } from "./errors.ts";

/** Bytes at any place of a file; fewer than asked for at its end. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Bytes of the file that are mapped at an address. */
export interface Segment {
  /** NaN where the address is beyond what a number holds exactly; nothing is found by address there. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly writable: boolean;
}

/** A named part of the file that has bytes in it. */
export interface Section {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** What of a program's headers says where to look. */
export interface Executable {
  readonly format: "elf" | "pe" | "mach-o";
  readonly pointerSize: 4 | 8;
  readonly littleEndian: boolean;
  readonly segments: readonly Segment[];
  /** Undefined where there is no table of sections. */
  readonly sections: readonly Section[] | undefined;
}

/** Numbers at offsets of one piece of a file, all within it. @throws SBOM_BINARY_MALFORMED by every member */
export class HeaderView {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = littleEndian;
  }

  get length(): number {
    return this.#bytes.length;
  }

  u16(at: number): number {
    this.#within(at, 2);
    return this.#view.getUint16(at, this.littleEndian);
  }

  u32(at: number): number {
    this.#within(at, 4);
    return this.#view.getUint32(at, this.littleEndian);
  }

  /** A number of 64 bits; NaN beyond 2^53. */
  u64(at: number): number {
    this.#within(at, 8);
    const value = Number(this.#view.getBigUint64(at, this.littleEndian));
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }

  word(at: number, size: 4 | 8): number {
    return size === 8 ? this.u64(at) : this.u32(at);
  }

  /** ASCII up to the first NUL, `length` bytes at most. */
  text(at: number, length: number): string {
    const end = Math.min(at + length, this.#bytes.length);
    const nul = this.#bytes.indexOf(0, at);
    return Buffer.from(this.#bytes.subarray(at, nul < 0 || nul > end ? end : nul)).toString("latin1");
  }

  #within(at: number, length: number): void {
    if (at < 0 || at + length > this.#bytes.length) throw malformed(`expected ${length} bytes of a header at ${at}`);
  }
}

/** Exactly `length` bytes. @throws SBOM_BINARY_MALFORMED */
export function readExactly(source: ByteSource, offset: number, length: number): Uint8Array {
  if (!isWithin(source, offset, length)) throw malformed(`expected ${length} bytes at ${offset} of ${source.size}`);
  const bytes = source.read(offset, length);
  if (bytes.length !== length) throw malformed(`expected ${length} bytes at ${offset}, found ${bytes.length}`);
  return bytes;
}

/** True for a piece that lies in the file as a whole. */
export function isWithin(source: ByteSource, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= source.size;
}

/** The bytes at an address, `length` at most, as far as one segment goes; none where nothing is mapped. */
export function readAddress(source: ByteSource, program: Executable, address: number, length: number): Uint8Array {
  const segment = program.segments.find((it) => it.address <= address && address < it.address + it.size);
  if (segment === undefined) return new Uint8Array(0);
  const inside = address - segment.address;
  return source.read(segment.offset + inside, Math.min(length, segment.size - inside));
}

export function malformed(message: string) {
  return binaryErrors.make("SBOM_BINARY_MALFORMED", message);
}
