import { decodeBase64, encodeBase64 } from "@touchmark/core";

/** A text that licences are known by: their own, the notice that goes into files, or that of an exception. */
export type TextKind = "text" | "header" | "exception";

/** A text, before it is written into the table. */
export interface TextEntry {
  readonly id: string;
  readonly kind: TextKind;
  /** Distinct hashes of the runs of words that it has to have. */
  readonly shingles: readonly number[];
  /** Those of further ones that are usual in it: they explain a text, and are not missed. */
  readonly more: readonly number[];
}

/** The table as it stands in `texts.json`. */
export interface EncodedTextTable {
  /**
   * Identifier, kind (`t`, `h`, `e`), number of sampled shingles, and the exponent of sampling. Text `i` has two places
   * among the holders of a shingle: `2i` for those that it has to have, `2i + 1` for further ones.
   */
  readonly texts: readonly (readonly [id: string, kind: string, sampled: number, exponent: number])[];
  /** Hashes of 24 bits in ascending order, each with the texts that have it; variable-length numbers in Base64. */
  readonly shingles: string;
}

/** Short texts are kept whole; of long ones a share of 1 in 2^exponent, so that at least this many are left. */
const enough = 256;

/** True when a hash belongs to the share that is kept at this exponent. Low bits, which the 24 kept ones do not hold. */
function isSampled(hash: number, exponent: number): boolean {
  return (hash & (2 ** exponent - 1)) === 0;
}

/** Writes the table. Deterministic. */
export function encodeTextTable(entries: readonly TextEntry[]): EncodedTextTable {
  const holders = new Map<number, number[]>();
  const texts = entries.map(({ id, kind, shingles, more }, index) => {
    let exponent = 0;
    while (exponent < 7 && shingles.length / 2 ** (exponent + 1) >= enough) exponent++;
    const sample = (hashes: readonly number[]) =>
      new Set(hashes.filter((hash) => isSampled(hash, exponent)).map((hash) => hash >>> 8));
    const keys = sample(shingles);
    for (const key of keys) holders.set(key, [...(holders.get(key) ?? []), 2 * index]);
    for (const key of sample(more)) {
      if (!keys.has(key)) holders.set(key, [...(holders.get(key) ?? []), 2 * index + 1]);
    }
    return [id, kind.slice(0, 1), keys.size, exponent] as const;
  });
  const bytes: number[] = [];
  let last = 0;
  for (const [key, list] of [...holders].sort(([a], [b]) => a - b)) {
    pushNumber(bytes, key - last);
    last = key;
    pushNumber(bytes, list.length);
    let before = 0;
    for (const index of list) {
      pushNumber(bytes, index - before);
      before = index;
    }
  }
  return { texts, shingles: encodeBase64(Uint8Array.from(bytes)) };
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
}

/** A text of the table, as it is looked for. */
export interface KnownText {
  readonly id: string;
  readonly kind: TextKind;
  /** Sampled shingles that it has. */
  readonly sampled: number;
  readonly exponent: number;
}

/** The table, open for lookups: hash to texts, in flat arrays. */
export class TextTable {
  readonly texts: readonly KnownText[];
  readonly #keys: Int32Array;
  readonly #starts: Int32Array;
  readonly #holders: Uint16Array;
  readonly #mask: number;
  /** By place of a text: bits that are zero in the hashes that are kept of it. */
  readonly #samples: Uint8Array;

  constructor({ texts, shingles }: EncodedTextTable) {
    const kinds = { t: "text", h: "header", e: "exception" } as const;
    this.texts = texts.map(([id, kind, sampled, exponent]) => ({
      ...{ id, sampled, exponent },
      kind: kinds[kind as keyof typeof kinds],
    }));
    this.#samples = Uint8Array.from(texts.flatMap(([, , , exponent]) => [2 ** exponent - 1, 2 ** exponent - 1]));
    const bytes = decodeBase64(shingles);
    // Each shingle takes three bytes or more: hash, number of texts, text.
    const places = Math.ceil(bytes.length / 2);
    const size = 2 ** Math.ceil(Math.log2(places + 2));
    this.#mask = size - 1;
    this.#keys = new Int32Array(size).fill(-1);
    this.#starts = new Int32Array(size);
    this.#holders = new Uint16Array(bytes.length + 1);
    this.#fill(bytes);
  }

  #fill(bytes: Uint8Array): void {
    let at = 0;
    const next = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++] ?? 0;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    let key = 0;
    let end = 0;
    while (at < bytes.length) {
      key += next();
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#starts[slot] = end;
      const number = next();
      this.#holders[end++] = number;
      let holder = 0;
      for (let i = 0; i < number; i++) {
        holder += next();
        this.#holders[end++] = holder;
      }
    }
  }

  /** The slot of a key, or the free one where it would stand. */
  #slot(key: number): number {
    let slot = Math.imul(key, 0x9e3779b1) & this.#mask;
    while (this.#keys[slot] !== -1 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }

  /** The first places in `hashes` of the runs of words that any text has, and how many each text has of them. */
  hits(hashes: Uint32Array): Hits {
    const seen = new Set<number>();
    const places: number[] = [];
    const slots = new Int32Array(hashes.length).fill(-1);
    const counts = new Uint32Array(this.texts.length * 2);
    for (let place = 0; place < hashes.length; place++) {
      const hash = hashes[place] ?? 0;
      const slot = this.#slot(hash >>> 8);
      if (this.#keys[slot] === -1) continue;
      slots[place] = slot;
      if (seen.has(slot)) continue;
      seen.add(slot);
      places.push(place);
      const start = this.#starts[slot] ?? 0;
      const end = start + (this.#holders[start] ?? 0);
      for (let i = start + 1; i <= end; i++) {
        const holder = this.#holders[i] ?? 0;
        if ((hash & (this.#samples[holder] ?? 0)) === 0) counts[holder] = (counts[holder] ?? 0) + 1;
      }
    }
    return { places, slots, counts };
  }

  /** Those of `places` whose run of words the texts at `wanted` have, for each of them. */
  placesOf(
    hashes: Uint32Array,
    places: readonly number[],
    wanted: ReadonlySet<number>,
  ): ReadonlyMap<number, readonly number[]> {
    const found = new Map<number, number[]>([...wanted].map((holder) => [holder, []]));
    for (const place of places) {
      const hash = hashes[place] ?? 0;
      const start = this.#starts[this.#slot(hash >>> 8)] ?? 0;
      const end = start + (this.#holders[start] ?? 0);
      for (let i = start + 1; i <= end; i++) {
        const holder = this.#holders[i] ?? 0;
        if ((hash & (this.#samples[holder] ?? 0)) === 0) found.get(holder)?.push(place);
      }
    }
    return found;
  }
}

/** What of a text stands in the table. The place of text `i` among the counts is `2i`, of its further runs `2i + 1`. */
export interface Hits {
  /** First places of runs of words that the table has, in order. */
  readonly places: readonly number[];
  /** At each place what run it is, the same for the same words; -1 where the table has none. */
  readonly slots: Int32Array;
  readonly counts: Uint32Array;
}
