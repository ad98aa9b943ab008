import { rpmErrors } from "./errors.ts";

/** Tags that are read (rpm's reference, "Tags"). */
export const rpmTag = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  vendor: 1011,
  licence: 1014,
  packager: 1015,
  url: 1020,
  architecture: 1022,
  fileModes: 1030,
  fileDigests: 1035,
  fileFlags: 1037,
  sourcePackage: 1044,
  provides: 1047,
  requireFlags: 1048,
  requires: 1049,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  modularity: 5096,
} as const;

const most = { tags: 65_535, values: 2_000_000 };
const regions = new Set([61, 62, 63]);
const [char, int8, int16, int32, int64, text, binary, texts, translated] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const widths: Readonly<Record<number, number>> = {
  [char]: 1,
  [int8]: 1,
  [int16]: 2,
  [int32]: 4,
  [int64]: 8,
  [binary]: 1,
};

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/**
 * The header of a package as databases hold it: an index of tags and their values (rpm's reference, "Header format"),
 * without the magic number that stands before it in package files. Every value that is asked for must lie inside.
 * @throws SBOM_RPM_HEADER_MALFORMED by every member
 */
export class RpmHeader {
  readonly #values: Buffer;
  readonly #entries = new Map<number, Entry>();

  constructor(blob: Uint8Array) {
    const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
    if (bytes.length < 8) throw malformed("expected a header of at least 8 bytes");
    const count = bytes.readUInt32BE(0);
    const size = bytes.readUInt32BE(4);
    const start = 8 + count * 16;
    if (count === 0 || count > most.tags || start + size > bytes.length) {
      throw malformed(`expected ${count} tags and ${size} bytes of values inside ${bytes.length} bytes`);
    }
    this.#values = bytes.subarray(start, start + size);
    for (let at = 8; at < start; at += 16) {
      const tag = bytes.readInt32BE(at);
      const entry = {
        type: bytes.readUInt32BE(at + 4),
        offset: bytes.readInt32BE(at + 8),
        count: bytes.readUInt32BE(at + 12),
      };
      if (regions.has(tag)) continue;
      if (entry.offset < 0 || entry.offset > size || entry.type > translated || entry.count > most.values) {
        throw malformed(`tag ${tag} lies outside the header`);
      }
      // What stands first counts: entries behind the signed region cannot replace those in it.
      if (!this.#entries.has(tag)) this.#entries.set(tag, entry);
    }
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** A text, the first of several; undefined where the tag is absent. */
  text(tag: number): string | undefined {
    return this.texts(tag, 1)[0];
  }

  texts(tag: number, limit: number = most.values): readonly string[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return [];
    if (entry.type !== text && entry.type !== texts && entry.type !== translated)
      throw malformed(`expected text at tag ${tag}`);
    const found: string[] = [];
    let at = entry.offset;
    for (let index = 0; index < Math.min(entry.type === text ? 1 : entry.count, limit); index++) {
      const end = this.#values.indexOf(0, at);
      if (end < 0) throw malformed(`the text of tag ${tag} has no end`);
      found.push(this.#values.toString("utf8", at, end));
      at = end + 1;
    }
    return found;
  }

  /** Whole numbers of at most 32 bits. */
  numbers(tag: number): readonly number[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return [];
    const width = widths[entry.type] ?? 0;
    if (entry.type !== int16 && entry.type !== int32) throw malformed(`expected numbers at tag ${tag}`);
    if (entry.offset + width * entry.count > this.#values.length) throw malformed(`tag ${tag} lies outside the header`);
    return Array.from({ length: entry.count }, (_, index) =>
      this.#values.readUIntBE(entry.offset + index * width, width),
    );
  }

  number(tag: number): number | undefined {
    return this.numbers(tag)[0];
  }
}

export function malformed(message: string) {
  return rpmErrors.make("SBOM_RPM_HEADER_MALFORMED", message);
}
