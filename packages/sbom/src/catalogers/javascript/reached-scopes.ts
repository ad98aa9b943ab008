import type { ComponentScope } from "@touchmark/formats/sbom";

/** Edges out of a package, those that it can do without apart. */
export interface ScopedEdges {
  readonly firm: readonly string[];
  readonly optional: readonly string[];
}

/** What projects ask for, by kind. */
export interface Wants {
  readonly runtime: readonly string[];
  readonly optional: readonly string[];
  readonly development: readonly string[];
}

/** The scope of each package that is reached: at run time without any optional edge, else optionally, else in development. */
export function reachedScopes(
  edges: ReadonlyMap<string, ScopedEdges>,
  wants: Wants,
): ReadonlyMap<string, ComponentScope> {
  const scopes = new Map<string, ComponentScope>();
  const reach = (from: readonly string[], scope: ComponentScope, withOptional: boolean): void => {
    const open = [...from];
    const seen = new Set<string>();
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (seen.has(key)) continue;
      seen.add(key);
      if (!scopes.has(key)) scopes.set(key, scope);
      const { firm, optional } = edges.get(key) ?? { firm: [], optional: [] };
      for (const next of firm) open.push(next);
      if (withOptional) for (const next of optional) open.push(next);
    }
  };
  reach(wants.runtime, "runtime", false);
  reach([...wants.runtime, ...wants.optional], "optional", true);
  reach(wants.development, "development", true);
  return scopes;
}
