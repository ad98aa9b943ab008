/**
 * The program that the kernel itself opens when it executes a file: the interpreter of a `#!` line, or the dynamic
 * loader named by PT_INTERP of an ELF file. No system call shows that open, so it is read from the file.
 * @param head the first bytes of the file, 4 KiB or all of it
 */
export function loaderOf(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length >= 2 && bytes[0] === 0x23 && bytes[1] === 0x21) {
    const line = bytes.subarray(2, 258).toString("latin1").split("\n")[0] ?? "";
    return /^[ \t]*([^ \t\0]+)/.exec(line)?.[1];
  }
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return undefined;
  const offset = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  if (size < 56 || offset < 64) return undefined;
  for (let i = 0; i < count; i++) {
    const at = offset + i * size;
    if (at + 56 > bytes.length) return undefined;
    if (bytes.readUInt32LE(at) !== 3) continue;
    const start = Number(bytes.readBigUInt64LE(at + 8));
    const length = Number(bytes.readBigUInt64LE(at + 32));
    if (length < 2 || start + length > bytes.length) return undefined;
    return bytes.subarray(start, start + length - 1).toString("latin1");
  }
  return undefined;
}
