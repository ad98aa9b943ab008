import { rpmErrors } from "./errors.ts";

/** Bytes at any place of a database; fewer than asked for at its end. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Largest header of a package that is read; rpm itself stops at 256 MiB. */
export const largestHeader = 64 * 1024 * 1024;
/** Most packages of one database. */
export const mostHeaders = 200_000;

/** Exactly `length` bytes. @throws SBOM_RPM_DATABASE_MALFORMED */
export function readPiece(source: ByteSource, offset: number, length: number): Buffer {
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size)) {
    throw databaseMalformed(`expected ${length} bytes at ${offset} of ${source.size}`);
  }
  const bytes = source.read(offset, length);
  if (bytes.length !== length) throw databaseMalformed(`expected ${length} bytes at ${offset}, found ${bytes.length}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * What a database may hold: as many bytes as its file has, for no byte belongs to two packages. Cells and chains that
 * overlap in a hostile file would otherwise multiply it.
 */
export class Content {
  #left: number;

  constructor(size: number) {
    this.#left = size;
  }

  /** @throws SBOM_RPM_DATABASE_MALFORMED when more is taken than there is */
  take(length: number): void {
    this.#left -= length;
    if (this.#left < 0) throw databaseMalformed("packages lie over each other");
  }
}

/** Makes, and does not throw, the error of a database. */
export function databaseMalformed(message: string, cause?: unknown) {
  return rpmErrors.make("SBOM_RPM_DATABASE_MALFORMED", message, { cause });
}
