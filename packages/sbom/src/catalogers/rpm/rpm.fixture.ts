import { adler32 } from "./ndb.ts";

/** A value of a header that is made by code: texts, one text, or numbers of 16 or 32 bits. */
export type MadeValue = string | readonly string[] | { readonly width: 2 | 4; readonly numbers: readonly number[] };

/** A header as databases hold it. */
export function madeHeader(tags: Readonly<Record<number, MadeValue>>): Buffer {
  const entries: Buffer[] = [];
  let values = Buffer.alloc(0);
  for (const [tag, value] of Object.entries(tags)) {
    const isList = typeof value === "object" && "length" in value;
    const type = typeof value === "string" ? 6 : isList ? 8 : value.width === 2 ? 3 : 4;
    const bytes =
      typeof value === "string" || isList
        ? Buffer.from(
            [value]
              .flat()
              .map((text) => `${text}\0`)
              .join(""),
          )
        : numbersOf(value.width, value.numbers);
    const count = typeof value === "string" ? 1 : isList ? value.length : value.numbers.length;
    const entry = Buffer.alloc(16);
    for (const [index, word] of [Number(tag), type, values.length, count].entries())
      entry.writeUInt32BE(word, index * 4);
    entries.push(entry);
    values = Buffer.concat([values, bytes]);
  }
  const start = Buffer.alloc(8);
  start.writeUInt32BE(entries.length, 0);
  start.writeUInt32BE(values.length, 4);
  return Buffer.concat([start, ...entries, values]);
}

function numbersOf(width: 2 | 4, numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(width * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUIntBE(number, index * width, width);
  return bytes;
}

/** The header of a small package, with more tags or others. */
export function madePackage(name: string, more: Readonly<Record<number, MadeValue>> = {}): Buffer {
  return madeHeader({ 1000: name, 1001: "1.0", 1002: "1", 1022: "x86_64", 1044: `${name}-1.0-1.src.rpm`, ...more });
}

/** A `Packages.db` of these headers. */
export function madeNdb(headers: readonly Uint8Array[]): Buffer {
  const slots = Buffer.alloc(4096);
  slots.write("RpmP");
  slots.writeUInt32LE(1, 12);
  for (let at = 32; at < slots.length; at += 16) slots.write("Slot", at);
  const parts: Buffer[] = [slots];
  let block = slots.length / 16;
  for (const [index, header] of headers.entries()) {
    const count = Math.ceil((16 + header.length + 12) / 16);
    const blob = Buffer.alloc(count * 16);
    blob.write("BlbS");
    blob.writeUInt32LE(index + 1, 4);
    blob.writeUInt32LE(header.length, 12);
    blob.set(header, 16);
    blob.writeUInt32LE(adler32(blob.subarray(0, blob.length - 12)), blob.length - 12);
    blob.writeUInt32LE(header.length, blob.length - 8);
    blob.write("BlbE", blob.length - 4);
    for (const [place, word] of [index + 1, block, count].entries()) {
      slots.writeUInt32LE(word, 32 + index * 16 + 4 + place * 4);
    }
    parts.push(blob);
    block += count;
  }
  return Buffer.concat(parts);
}

/** A `Packages` of these headers: one bucket, its values on pages of their own, small ones beside their keys. */
export function madeBerkeleyHash(headers: readonly Uint8Array[], littleEndian = true): Buffer {
  const size = 512;
  const pages: Buffer[] = [];
  const u32 = (page: Buffer, at: number, value: number) => {
    if (littleEndian) page.writeUInt32LE(value, at);
    else page.writeUInt32BE(value, at);
  };
  const u16 = (page: Buffer, at: number, value: number) => {
    if (littleEndian) page.writeUInt16LE(value, at);
    else page.writeUInt16BE(value, at);
  };
  const added = (type: number): Buffer => {
    const page = Buffer.alloc(size);
    u32(page, 8, pages.length);
    page[25] = type;
    pages.push(page);
    return page;
  };
  const meta = added(8);
  for (const [at, value] of [
    [12, 0x0006_1561],
    [16, 9],
    [20, size],
    [96, 1],
    [100, 1],
  ] as const)
    u32(meta, at, value);
  const bucket = added(13);
  let [count, end] = [0, size];
  const enter = (bytes: Uint8Array) => {
    end -= bytes.length;
    bucket.set(bytes, end);
    u16(bucket, 26 + 2 * count++, end);
  };
  for (const [index, header] of [Buffer.from("last"), ...headers].entries()) {
    const key = Buffer.alloc(5, 1);
    u32(key, 1, index);
    enter(key);
    if (header.length < 16) {
      enter(Buffer.concat([Buffer.from([1]), header]));
      continue;
    }
    const place = Buffer.alloc(12, 3);
    u32(place, 4, pages.length);
    u32(place, 8, header.length);
    for (let at = 0; at < header.length; at += size - 26) {
      const part = header.subarray(at, at + size - 26);
      const page = added(7);
      page.set(part, 26);
      u16(page, 22, part.length);
      u32(page, 16, at + part.length < header.length ? pages.length : 0);
    }
    enter(place);
  }
  u32(meta, 32, pages.length - 1);
  u16(bucket, 20, count);
  u16(bucket, 22, end);
  return Buffer.concat(pages);
}
