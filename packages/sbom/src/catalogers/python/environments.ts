import type { Distribution } from "./distribution.ts";
import { type MarkerFacts, markerHolds } from "./marker.ts";
import type { PythonRequirement } from "./requirement.ts";

/** Most requirements that are judged. */
const mostJudged = 5_000_000;

/** What installed distributions depend on. */
export interface EnvironmentEdges {
  /** Keys by key; every distribution has an entry. */
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
  /** Asked for by name, or by no other distribution. */
  readonly roots: ReadonlySet<string>;
  /** Distributions that lie in another's own files. */
  readonly vendored: ReadonlySet<string>;
  readonly isComplete: boolean;
}

const systemSite = /^usr\/(?:local\/)?lib(?:64)?\/python3?(?:\.[0-9]+)?\/(?:dist|site)-packages$/;

/**
 * Draws the edges that requirements mean within one environment. A requirement of an extra counts where another
 * distribution asks for that extra: what a person asked for on the command line is written down nowhere.
 */
export function environmentEdges(distributions: readonly Distribution[]): EnvironmentEdges {
  const sites = new Set(distributions.map(({ site }) => site));
  const outer = new Map([...sites].map((site) => [site, outerSite(site, sites)]));
  /** By environment and name, then by the directory itself. */
  const byName = new Map<string, Map<string, Distribution>>();
  const nameKey = (site: string, name: string): string => `${environmentOf(site)}\n${name}`;
  for (const distribution of distributions) {
    const key = nameKey(distribution.site, normal(distribution));
    const named = byName.get(key) ?? new Map<string, Distribution>();
    byName.set(key, named);
    if (!named.has(distribution.site)) named.set(distribution.site, distribution);
  }
  const find = (site: string, name: string): Distribution | undefined => {
    for (let here: string | undefined = site, depth = 0; here !== undefined && depth < 8; depth++) {
      const found = byName.get(nameKey(here, name));
      if (found !== undefined) return found.get(here) ?? found.values().next().value;
      here = outer.get(here);
    }
    return undefined;
  };
  const edges = new Map(distributions.map(({ component }) => [component.key, new Set<string>()]));
  const asked = new Map<Distribution, Set<string>>();
  const open: [Distribution, string][] = distributions.map((distribution) => [distribution, ""]);
  let judged = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [distribution, extra] = next;
    const facts = { ...factsOf(distribution.site), extra };
    for (const requirement of distribution.requires) {
      if (++judged > mostJudged) break;
      if (!counts(requirement, facts)) continue;
      const target = find(distribution.site, requirement.name);
      if (target === undefined) continue;
      if (target !== distribution) edges.get(distribution.component.key)?.add(target.component.key);
      const known = asked.get(target) ?? new Set<string>();
      asked.set(target, known);
      for (const wanted of requirement.extras) {
        if (known.has(wanted)) continue;
        known.add(wanted);
        open.push([target, wanted]);
      }
    }
  }
  const vendored = addVendored(distributions, outer, edges);
  const reached = new Set([...edges.values()].flatMap((to) => [...to]));
  const roots = distributions
    .filter(({ component: { key }, isRequested }) => !vendored.has(key) && (isRequested || !reached.has(key)))
    .map(({ component }) => component.key);
  return { edges, roots: new Set(roots), vendored, isComplete: judged <= mostJudged };
}

/** With an extra, only what names extras can count anew. */
function counts({ marker }: PythonRequirement, facts: MarkerFacts): boolean {
  if (marker === undefined) return facts.extra === "";
  if (facts.extra !== "" && !/\bextra\b/.test(marker)) return false;
  return markerHolds(marker, facts);
}

function normal({ component }: Distribution): string {
  return component.name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Directories that one interpreter looks into count as one environment. */
function environmentOf(site: string): string {
  return systemSite.test(site) ? "usr" : site.replace(/(^|\/)lib64\//, "$1lib/");
}

function factsOf(site: string): Omit<MarkerFacts, "extra"> {
  const python = /(?:^|\/)python(3\.[0-9]+)\//i.exec(site)?.[1];
  const isUnix = /(?:^|\/)lib(?:64)?\/python3/.test(site);
  const isMac = /(?:^|\/)(?:Library\/Frameworks|opt\/homebrew)\//.test(site);
  const system = isMac ? "darwin" : isUnix ? "linux" : /(?:^|\/)Lib\/site-packages/.test(site) ? "windows" : undefined;
  return { ...(python !== undefined && { python }), ...(system !== undefined && { system }) };
}

/** The nearest directory above that distributions are installed into, too. */
function outerSite(site: string, sites: ReadonlySet<string>): string | undefined {
  for (let slash = site.lastIndexOf("/"); slash > 0; slash = site.lastIndexOf("/", slash - 1)) {
    const above = site.slice(0, slash);
    if (sites.has(above)) return above;
  }
  return undefined;
}

/** A distribution inside another's files comes with it. */
function addVendored(
  distributions: readonly Distribution[],
  outer: ReadonlyMap<string, string | undefined>,
  edges: ReadonlyMap<string, Set<string>>,
): Set<string> {
  const vendored = new Set<string>();
  const inner = distributions.filter(({ site }) => outer.get(site) !== undefined);
  if (inner.length === 0) return vendored;
  const wanted = new Set(inner.map(({ component }) => component.key));
  const ownerOf = new Map<string, Distribution>();
  for (const distribution of distributions) {
    const { key, owns = [] } = distribution.component;
    for (const path of owns) if (path !== key && wanted.has(path)) ownerOf.set(path, distribution);
    for (const directory of distribution.component.ownsBelow ?? []) ownerOf.set(directory, distribution);
  }
  for (const { component, site } of inner) {
    const owner = nearest(component.key, (path) => {
      const found = ownerOf.get(path);
      return found?.site === site ? undefined : found;
    });
    if (owner === undefined) continue;
    vendored.add(component.key);
    edges.get(owner.component.key)?.add(component.key);
  }
  return vendored;
}

/** The first answer for a path and the directories that it lies in, nearest first. */
function nearest<T>(path: string, ask: (path: string) => T | undefined): T | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const answer = ask(path.slice(0, end));
    if (answer !== undefined) return answer;
  }
  return undefined;
}
