import type { Pom } from "./pom.ts";

/** A component of an archive, and where it lies. */
export interface PlacedArtifact {
  readonly key: string;
  /** `group:artifact`. */
  readonly name: string;
  readonly version: string;
  /** Path of the archive, or of the record in it for what was unpacked into one. */
  readonly path: string;
  /** Its own pom, where the archive has it. */
  readonly pom: Pom | undefined;
}

/** Edges by keys, and the keys that nothing else leads to. */
export interface ArchiveEdges {
  readonly edges: readonly { readonly from: string; readonly to: readonly string[] }[];
  readonly roots: readonly string[];
}

/**
 * Edges between archives. A pom in an archive says what it depends on; that is looked for in the archive itself, beside
 * it, and beside what it lies in. An archive depends on what it holds: directly on that which nothing else in it wants.
 */
export function archiveEdges(placed: readonly PlacedArtifact[]): ArchiveEdges {
  const byPlace = new Map<string, Map<string, PlacedArtifact[]>>();
  const byPath = new Map(placed.map((one) => [one.path, one]));
  for (const one of placed) {
    const names = byPlace.get(placeOf(one.path)) ?? new Map<string, PlacedArtifact[]>();
    const same = names.get(one.name);
    if (same === undefined) names.set(one.name, [one]);
    else same.push(one);
    byPlace.set(placeOf(one.path), names);
  }
  const edges = new Map<string, Set<string>>();
  for (const one of placed) {
    const found = declared(one, byPlace);
    if (found !== undefined) edges.set(one.key, new Set(found));
  }
  const members = new Map<string, string[]>();
  for (const { path, key } of placed) {
    const holder = holderOf(path, byPath)?.key ?? "";
    const held = members.get(holder);
    if (held === undefined) members.set(holder, [key]);
    else held.push(key);
  }
  const roots = [...unreached(members.get("") ?? [], edges)];
  members.delete("");
  for (const [holder, held] of members) {
    const own = edges.get(holder) ?? new Set<string>();
    for (const key of unreached(held, edges, own)) own.add(key);
    edges.set(holder, own);
  }
  return { edges: [...edges].map(([from, to]) => ({ from, to: [...to] })), roots };
}

/** The archive or folder that something lies in. */
function placeOf(path: string): string {
  const inner = path.lastIndexOf("!/");
  if (inner >= 0) return path.slice(0, inner);
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The nearest archive around it that is a component. */
function holderOf(path: string, byPath: ReadonlyMap<string, PlacedArtifact>): PlacedArtifact | undefined {
  let at = path.lastIndexOf("!/");
  while (at >= 0) {
    const holder = byPath.get(path.slice(0, at));
    if (holder !== undefined) return holder;
    at = at === 0 ? -1 : path.lastIndexOf("!/", at - 1);
  }
  return undefined;
}

/** What its pom asks for at run time and is there; undefined when it has none, or nothing of it was found. */
function declared(
  one: PlacedArtifact,
  byPlace: ReadonlyMap<string, ReadonlyMap<string, readonly PlacedArtifact[]>>,
): string[] | undefined {
  const { pom } = one;
  if (pom === undefined) return undefined;
  const group = pom.group ?? pom.parent?.group ?? "";
  const wanted = pom.dependencies.filter(
    ({ scope = "compile", optional }) => (scope === "compile" || scope === "runtime") && optional !== "true",
  );
  if (wanted.length === 0) return [];
  const places: string[] = [one.path];
  for (let place = placeOf(one.path); places.length < 20; place = placeOf(place)) {
    places.push(place);
    if (!place.includes("!/")) break;
  }
  const found = wanted.flatMap((dependency) => {
    const name = `${dependency.group.replace(/^\$\{(?:project|pom)\.groupId\}$/, group)}:${dependency.artifact}`;
    for (const place of places) {
      const same = byPlace.get(place)?.get(name) ?? [];
      // Beside so many of one name nothing tells which is meant.
      if (same.length > 100) continue;
      const candidates = same.filter(({ key }) => key !== one.key);
      const exact = candidates.filter(({ version }) => version === dependency.version);
      const [only] = candidates.length === 1 ? candidates : exact;
      if (only !== undefined) return [only.key];
    }
    return [];
  });
  return found.length === 0 ? undefined : found;
}

/** Those that must be led to directly, so that all are led to: first what nobody asks for, then one of each circle. */
function* unreached(
  keys: readonly string[],
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  reachedFrom: Iterable<string> = [],
): Generator<string> {
  const seen = new Set<string>();
  const own = new Set(keys);
  const reach = (from: Iterable<string>): void => {
    const open = [...from];
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (seen.has(key) || !own.has(key)) continue;
      seen.add(key);
      open.push(...(edges.get(key) ?? []));
    }
  };
  reach(reachedFrom);
  const asked = new Set<string>();
  for (const key of keys) for (const to of edges.get(key) ?? []) if (to !== key) asked.add(to);
  for (const key of [...keys.filter((one) => !asked.has(one)), ...keys]) {
    if (seen.has(key)) continue;
    yield key;
    reach([key]);
  }
}
