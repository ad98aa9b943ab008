import { type KnownText, TextTable } from "./text-table.ts";
import encoded from "./texts.json" with { type: "json" };
import { licenceWords, shingles } from "./words.ts";

/** A text of the table that was found in a file. */
export interface TextMatch {
  readonly text: KnownText;
  /** Share of its words, in runs of three, that the file has: 0 to 1. */
  readonly likeness: number;
}

/** Least share of a text that must be there; short ones are told apart by little, and need more. */
const leastLikeness = 0.85;
const leastOfShort = 0.9;
const shortText = 40;
/** A text that is part of another has to be there whole to count beside it. */
const wholeLikeness = 1;
/** How much more a missing run of words counts than one that is there, where two texts compete. */
const weight = 10;
/** Most different texts that are reported of one file. */
const mostMatches = 50;

let known: TextTable | undefined;

/**
 * The licence texts that a text holds, largest first. Where one text is part of another, the one that explains more
 * of what is there and lacks less is taken; the other counts only where it stands again by itself.
 */
export function licenceTextsIn(text: string): readonly TextMatch[] {
  known ??= new TextTable(encoded as unknown as ConstructorParameters<typeof TextTable>[0]);
  const hashes = shingles(licenceWords(text));
  const table = known;
  const hits = table.hits(hashes);
  const likely = table.texts.flatMap((each, index) => {
    const likeness = (hits.counts[2 * index] ?? 0) / each.sampled;
    const least = each.sampled < shortText ? leastOfShort : leastLikeness;
    return likeness < least ? [] : [{ text: each, index, likeness }];
  });
  if (likely.length === 0) return [];
  const wanted = new Set(likely.flatMap(({ index }) => [2 * index, 2 * index + 1]));
  const places = table.placesOf(hashes, hits.places, wanted);
  const candidates = likely.map(({ text: each, index, likeness }) => {
    const own = places.get(2 * index) ?? [];
    const all = [...own, ...(places.get(2 * index + 1) ?? [])].sort((a, b) => a - b);
    // In shingles of the whole text, so that sampled ones compare with those kept whole.
    const score = (all.length - weight * (each.sampled - own.length)) * 2 ** each.exponent;
    return { text: each, likeness, score, own, all };
  });
  candidates.sort(
    (a, b) => b.score - a.score || a.text.id.length - b.text.id.length || (a.text.id < b.text.id ? -1 : 1),
  );
  const seen = new ExplainedText(hits.slots);
  const found: TextMatch[] = [];
  for (const { text: each, likeness, own, all } of candidates) {
    if (seen.explains(own) && !(likeness >= wholeLikeness && seen.standsAgain(own))) continue;
    seen.add(all, 6 * 2 ** each.exponent);
    found.push({ text: each, likeness: Math.floor(likeness * 100) / 100 });
    if (found.length >= mostMatches) break;
  }
  return found;
}

/** Which part of a text the licences that were found so far explain. */
class ExplainedText {
  readonly #slots: Int32Array;
  readonly #isExplained: Uint8Array;
  /** How often each run of words stands in the text beyond what is explained. */
  readonly #left = new Map<number, number>();

  constructor(slots: Int32Array) {
    this.#slots = slots;
    this.#isExplained = new Uint8Array(slots.length);
    for (const slot of slots) if (slot >= 0) this.#left.set(slot, (this.#left.get(slot) ?? 0) + 1);
  }

  /** True when most of these places are those of licences that were found. */
  explains(places: readonly number[]): boolean {
    return places.filter((place) => this.#isExplained[place] === 1).length * 2 > places.length;
  }

  /** True when nearly all runs of words at these places stand once more than the licences that were found need. */
  standsAgain(places: readonly number[]): boolean {
    const again = places.filter((place) => (this.#left.get(this.#slots[place] ?? -1) ?? 0) > 0);
    return again.length >= places.length * leastLikeness;
  }

  /** Adds a licence; places no further apart than `near` have what lies between: the sampled ones stand for it. */
  add(places: readonly number[], near: number): void {
    let last: number | undefined;
    for (const place of places) {
      const from = last !== undefined && place - last <= near ? last + 1 : place;
      for (let at = from; at <= place; at++) {
        this.#isExplained[at] = 1;
        const slot = this.#slots[at] ?? -1;
        if (slot >= 0) this.#left.set(slot, (this.#left.get(slot) ?? 0) - 1);
      }
      last = place;
    }
  }
}
