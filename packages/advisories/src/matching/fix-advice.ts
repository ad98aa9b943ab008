import { isFactoryError } from "@touchmark/core";
import type { FixState } from "@touchmark/formats/findings";
import { schemeOf } from "../versions/schemes.ts";
import { type Evaluator, type Hit, type Judgement, judgeOne } from "./evaluate.ts";
import type { Target } from "./targets.ts";
import type { Vulnerability } from "./vulnerabilities.ts";

/** Versions that are tried for one component before the search is given up. */
const mostTried = 400;

/** Versions above a component's own that some advisory calls fixed, nearest first, in the ecosystem's spelling. */
export function fixedVersions(hits: readonly Hit[]): readonly string[] {
  const [first] = hits;
  if (first === undefined) return [];
  const { target } = first;
  const scheme = schemeOf(target.ecosystem);
  const read: { text: string; order: unknown }[] = [];
  for (const text of new Set(hits.flatMap(({ affection }) => affection.fixed))) {
    try {
      read.push({ text: asInstalled(target, text), order: scheme.read(text) });
    } catch (error) {
      if (!isFactoryError(error)) throw error;
    }
  }
  read.sort((a, b) => scheme.compare(a.order, b.order) || (a.text < b.text ? -1 : 1));
  return [...new Set(read.map(({ text }) => text))];
}

/** Modules of Go have a `v` before their versions, which advisories leave out. */
function asInstalled({ ecosystem, version }: Target, fixed: string): string {
  return ecosystem === "Go" && version.startsWith("v") && /^\d/.test(fixed) ? `v${fixed}` : fixed;
}

/** The nearest fixed version that none of the advisories of this vulnerability holds; else the nearest there is. */
export function nearestFixed({ hits }: Vulnerability, fixed: readonly string[]): string | undefined {
  const isFree = (version: string): boolean =>
    hits.every(({ advisory, target }) => judgeOne(advisory, { ...target, version }).hit === undefined);
  return fixed.slice(0, mostTried).find(isFree) ?? fixed[0];
}

/**
 * The nearest version above with no finding known at all. Only versions that some advisory of the package names can be
 * known here; each is judged anew against the whole database, and what is fixed above it is tried in turn.
 */
export function nextClean(evaluate: Evaluator, targets: readonly Target[], judgement: Judgement): string | undefined {
  const [first] = targets;
  if (first === undefined) return undefined;
  const scheme = schemeOf(first.ecosystem);
  const known = new Set<string>();
  let { hits } = judgement;
  let above: unknown;
  for (let tried = 0; tried < mostTried; tried++) {
    for (const version of fixedVersions(hits)) known.add(version);
    // No version below the last of the nearest fixes can be free of all of them.
    const least = hits.map(({ affection }) => affection.fixed[0]).filter((version) => version !== undefined);
    const bound = least.map((text) => scheme.read(text)).sort((a, b) => scheme.compare(b, a))[0];
    const next = [...known]
      .map((text) => ({ text, order: scheme.read(text) }))
      .filter(({ order }) => above === undefined || scheme.compare(order, above) > 0)
      .filter(({ order }) => bound === undefined || scheme.compare(order, bound) >= 0)
      .sort((a, b) => scheme.compare(a.order, b.order))[0];
    if (next === undefined) return undefined;
    const again = evaluate.judge(moved(targets, next.text));
    if (again.hits.length === 0 && again.open.length === 0) return next.text;
    above = next.order;
    hits = again.hits;
  }
  return undefined;
}

function moved(targets: readonly Target[], version: string): readonly Target[] {
  return targets.map((target) => ({ ...target, version }));
}

/** Whether a version without the vulnerability is there, by what the advisories say. */
export function fixStateOf(hits: readonly Hit[], fixed: readonly string[], isUnsupported: boolean): FixState {
  if (fixed.length > 0) return "fixed";
  const states = hits.map(({ affected }) => affected.state);
  for (const state of ["end-of-life", "will-not-fix"] as const) if (states.includes(state)) return state;
  if (isUnsupported) return "end-of-life";
  if (states.includes("not-fixed")) return "not-fixed";
  // A range that ends with the last affected version says that newer ones are not affected, and names none.
  return hits.some(({ affection }) => affection.matched.includes("<=") || affection.matched.startsWith("="))
    ? "unknown"
    : "not-fixed";
}
