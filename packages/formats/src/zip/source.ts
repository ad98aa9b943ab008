import { zipErrors } from "./errors.ts";

/** Bytes that are read at any place: a file, a part of one, memory. */
export interface ZipSource {
  readonly size: number;
  /** At most `length` bytes from `offset`; fewer at the end. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes in memory as a source; they are not copied. */
export function memorySource(bytes: Uint8Array): ZipSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A part of another source, with its own offsets. */
export function partOf(source: ZipSource, start: number, size: number): ZipSource {
  return {
    size,
    read: (offset, length) => source.read(start + offset, Math.max(0, Math.min(length, size - offset))),
  };
}

/** Exactly `length` bytes. @throws ZIP_TRUNCATED */
export function readExactly(source: ZipSource, offset: number, length: number): Buffer {
  const isInside = offset >= 0 && offset + length <= source.size;
  const bytes = isInside ? source.read(offset, length) : new Uint8Array();
  if (bytes.length !== length) {
    throw zipErrors.make("ZIP_TRUNCATED", `expected ${length} bytes at ${offset}, found an archive of ${source.size}`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const windowSize = 128 * 1024;

/** A source whose small readings are answered from the bytes read last: headers of entries lie side by side. */
export function bufferedSource(source: ZipSource): ZipSource {
  let window = new Uint8Array();
  let start = 0;
  return {
    size: source.size,
    read(offset, length) {
      if (length >= windowSize) return source.read(offset, length);
      if (offset < start || offset + length > start + window.length) {
        // A copy: the source may use its buffer again.
        window = Uint8Array.from(source.read(offset, Math.max(0, Math.min(windowSize, source.size - offset))));
        start = offset;
      }
      return window.subarray(offset - start, offset - start + length);
    },
  };
}
