import { malformed } from "./footer.ts";

/** Bytes after which a page is closed. */
const pageBytes = 4096;
/** Offsets of rows are written in six bytes. */
const offsetBytes = 6;

/** A page of the table, as the index knows it. */
export interface Page {
  readonly first: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Writes the table that leads from a key to the offsets of rows: entries sorted by key (UTF-16 code units), in pages of
 * some 4 KiB, and an index with the first key of every page. Returns where the index lies.
 */
export function writeTable(
  entries: ReadonlyMap<string, readonly number[]>,
  output: { readonly position: number; write(bytes: Uint8Array): void },
): { readonly offset: number; readonly length: number } {
  const index: Buffer[] = [];
  let page: Buffer[] = [];
  let length = 0;
  let first = "";
  const close = (): void => {
    if (page.length === 0) return;
    const key = Buffer.from(first);
    const head = Buffer.alloc(2 + key.length + offsetBytes + 4);
    head.writeUInt16LE(key.length);
    key.copy(head, 2);
    head.writeUIntLE(output.position, 2 + key.length, offsetBytes);
    head.writeUInt32LE(length, 2 + key.length + offsetBytes);
    index.push(head);
    output.write(Buffer.concat(page, length));
    page = [];
    length = 0;
  };
  for (const key of [...entries.keys()].sort()) {
    const offsets = entries.get(key) as readonly number[];
    const text = Buffer.from(key);
    const entry = Buffer.alloc(2 + text.length + 4 + offsets.length * offsetBytes);
    entry.writeUInt16LE(text.length);
    text.copy(entry, 2);
    entry.writeUInt32LE(offsets.length, 2 + text.length);
    offsets.forEach((offset, i) => {
      entry.writeUIntLE(offset, 2 + text.length + 4 + i * offsetBytes, offsetBytes);
    });
    if (page.length === 0) first = key;
    page.push(entry);
    length += entry.length;
    if (length >= pageBytes) close();
  }
  close();
  const offset = output.position;
  for (const head of index) output.write(head);
  return { offset, length: output.position - offset };
}

/** Reads the index of pages. @throws ADVISORY_DATABASE_MALFORMED */
export function readPages(bytes: Buffer, end: number): readonly Page[] {
  const pages: Page[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 2 > bytes.length) return malformed("a whole index");
    const size = bytes.readUInt16LE(at);
    const next = at + 2 + size + offsetBytes + 4;
    if (next > bytes.length) return malformed("a whole index");
    const first = bytes.toString("utf8", at + 2, at + 2 + size);
    const offset = bytes.readUIntLE(at + 2 + size, offsetBytes);
    const length = bytes.readUInt32LE(at + 2 + size + offsetBytes);
    if (offset + length > end) return malformed("pages inside of the file");
    const before = pages.at(-1);
    if (before !== undefined && !(before.first < first)) return malformed("pages in order");
    pages.push({ first, offset, length });
    at = next;
  }
  return pages;
}

/** The page that a key would lie on: the last one whose first key is not behind it. */
export function pageOf(pages: readonly Page[], key: string): Page | undefined {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pages[middle] as Page).first <= key) low = middle + 1;
    else high = middle;
  }
  return pages[low - 1];
}

/** Offsets of the rows of a key on its page; none where it is not there. @throws ADVISORY_DATABASE_MALFORMED */
export function offsetsOn(page: Buffer, key: string): readonly number[] {
  const wanted = Buffer.from(key);
  for (let at = 0; at < page.length; ) {
    if (at + 2 > page.length) return malformed("a whole page");
    const size = page.readUInt16LE(at);
    const from = at + 2 + size;
    if (from + 4 > page.length) return malformed("a whole page");
    const count = page.readUInt32LE(from);
    const next = from + 4 + count * offsetBytes;
    if (next > page.length) return malformed("a whole page");
    if (size === wanted.length && wanted.equals(page.subarray(at + 2, from))) {
      return Array.from({ length: count }, (_, i) => page.readUIntLE(from + 4 + i * offsetBytes, offsetBytes));
    }
    at = next;
  }
  return [];
}
