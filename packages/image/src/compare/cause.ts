/** Why two things that should be alike are not. */
export type Cause = "timestamp" | "order" | "path" | "random" | "owner" | "mode" | "compressor" | "format" | "content";

/** Causes in the order in which they are told. */
export const causeOrder: readonly Cause[] = [
  ...(["content", "mode", "owner", "path", "timestamp", "random", "order", "format", "compressor"] as const),
];

/** Each cause once, in one order. */
export function sortedCauses(causes: Iterable<Cause>): readonly Cause[] {
  const all = new Set(causes);
  return causeOrder.filter((cause) => all.has(cause));
}

const timestamps =
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +(?:\d{1,2} +)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +[\d: ]+(?:[A-Z]{3,4})?(?: ?\d{4})?|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d{1,2},? +\d{4}|\b\d{2}:\d{2}:\d{2}(?:\.\d+)?\b|\b1[0-9]{9}(?:[0-9]{3})?(?:\.\d+)?\b/g;
const paths = /(?:\/[\w.@+~-]+){2,}\/?/g;
const randoms =
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,128}\b|\b0x[0-9a-f]{6,16}\b|(?<=[-_.])(?=\w*\d)(?=\w*[a-z])[A-Za-z0-9_]{6,12}\b/gi;

const rewritings: readonly (readonly [Cause, (text: string) => string])[] = [
  ["timestamp", (text) => text.replace(timestamps, "<time>")],
  ["path", (text) => text.replace(paths, "<path>")],
  ["random", (text) => text.replace(randoms, "<random>")],
  ["order", (text) => text.split(/\r?\n/).sort().join("\n")],
  ["format", (text) => text.replace(/\s+/g, " ").trim()],
];

/**
 * What explains the difference of two texts: the fewest causes that, once their traces are taken out of both, leave them
 * alike. `content`: none do.
 */
export function textCauses(a: string, b: string): readonly Cause[] {
  if (a === b) return [];
  let needed = rewritings;
  if (!isAlike(a, b, needed)) return ["content"];
  for (const rewriting of rewritings.toReversed()) {
    const others = needed.filter((other) => other !== rewriting);
    if (others.length > 0 && isAlike(a, b, others)) needed = others;
  }
  return sortedCauses(needed.map(([cause]) => cause));
}

function isAlike(a: string, b: string, by: typeof rewritings): boolean {
  const rewrite = (text: string) => by.reduce((rewritten, [, step]) => step(rewritten), text);
  return rewrite(a) === rewrite(b);
}
