import { crc32 } from "node:zlib";

/** One file of a package. */
export interface PackedFile {
  /** Path inside the package, with `/`. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

/** Seconds since 1970 of every packed file: the constant that npm itself writes. */
const modified = 499_162_500;

/**
 * An npm package: a gzipped ustar archive of `package/…`. Same files, same bytes: sorted, without owner and times, and
 * gzipped by stored blocks, because compressed bytes differ among processors and versions of zlib.
 */
export function tarball(files: readonly PackedFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const parts: Uint8Array[] = [];
  for (const file of sorted) {
    parts.push(header(`package/${file.path}`, file), file.content);
    parts.push(new Uint8Array(-file.content.length & 511));
  }
  parts.push(new Uint8Array(1024));
  return gzipStored(Buffer.concat(parts));
}

function header(path: string, file: PackedFile): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new Error(`expected a path of at most 100 bytes, found ${path}`);
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, "0")}\0`, offset);
  };
  block.write(path, 0);
  octal(file.executable ? 0o755 : 0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(file.content.length, 124, 11);
  octal(modified, 136, 11);
  block.write("        0", 148); // The checksum counts as spaces; type flag 0: a file.
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** RFC 1952 around RFC 1951 stored blocks. */
function gzipStored(content: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)];
  for (let offset = 0; offset < content.length; offset += 65_535) {
    const piece = content.subarray(offset, offset + 65_535);
    const head = Buffer.alloc(5);
    head[0] = offset + piece.length === content.length ? 1 : 0;
    head.writeUInt16LE(piece.length, 1);
    head.writeUInt16LE(~piece.length & 0xffff, 3);
    parts.push(head, piece);
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(content), 0);
  tail.writeUInt32LE(content.length, 4);
  return Buffer.concat([...parts, tail]);
}
