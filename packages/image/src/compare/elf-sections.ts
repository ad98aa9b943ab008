import { sha256 } from "@touchmark/core";

const MAX_SECTIONS = 10_000;

/** Digests of the sections of an ELF file by name; undefined when it is none, or is damaged. Both byte orders and sizes. */
export function elfSections(
  bytes: Uint8Array,
): ReadonlyMap<string, { readonly digest: string; readonly at: number; readonly size: number }> | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < 64 || buffer.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const is64 = buffer[4] === 2;
  const isLittle = buffer[5] === 1;
  const number = (at: number, size: 2 | 4 | 8): number => {
    if (at + size > buffer.length) return 0;
    if (size === 2) return isLittle ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
    if (size === 4) return isLittle ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
    return Number(isLittle ? buffer.readBigUInt64LE(at) : buffer.readBigUInt64BE(at));
  };
  const word = is64 ? 8 : 4;
  const table = number(is64 ? 40 : 32, word);
  const entry = number(is64 ? 58 : 46, 2);
  const count = number(is64 ? 60 : 48, 2);
  const names = number(is64 ? 62 : 50, 2);
  if (count === 0 || count > MAX_SECTIONS || names >= count || table + entry * count > buffer.length) return undefined;
  const section = (i: number) => {
    const at = table + entry * i;
    return {
      name: number(at, 4),
      type: number(at + 4, 4),
      at: number(at + (is64 ? 24 : 16), word),
      size: number(at + (is64 ? 32 : 20), word),
    };
  };
  const strings = section(names);
  const found = new Map<string, { digest: string; at: number; size: number }>();
  for (let i = 1; i < count; i++) {
    const { name, type, at, size } = section(i);
    const start = strings.at + name;
    const end = buffer.indexOf(0, start);
    const isEmpty = type === 8;
    if (start >= buffer.length || end < 0 || (!isEmpty && at + size > buffer.length)) return undefined;
    const content = isEmpty ? Buffer.alloc(0) : buffer.subarray(at, at + size);
    found.set(buffer.toString("latin1", start, Math.min(end, start + 100)), {
      digest: sha256(content),
      at,
      size: content.length,
    });
  }
  return found;
}
