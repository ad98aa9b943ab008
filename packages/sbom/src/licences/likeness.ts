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
  const explained = new Uint8Array(hashes.length);
  const found: TextMatch[] = [];
  for (const { text: each, likeness, own, all } of candidates) {
    const fresh = own.filter((place) => explained[place] === 0).length;
    if (fresh * 2 < own.length) continue;
    markExplained(explained, all, 6 * 2 ** each.exponent);
    found.push({ text: each, likeness: Math.floor(likeness * 100) / 100 });
    if (found.length >= mostMatches) break;
  }
  return found;
}

/** Marks what lies between places that are near each other: the sampled ones stand for those around them. */
function markExplained(explained: Uint8Array, places: readonly number[], near: number): void {
  let last: number | undefined;
  for (const place of places) {
    const from = last !== undefined && place - last <= near ? last : place;
    explained.fill(1, from, place + 1);
    last = place;
  }
}
