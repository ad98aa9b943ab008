import { compareTreePaths } from "@touchmark/core";
import type { Component, DependencyEdges } from "@touchmark/formats/sbom";
import { type AssembledComponents, ownedByProperty } from "./assemble.ts";
import type { Found } from "./cataloger.ts";

/**
 * Edges by refs (SPEC C8): those that catalogers found, from a distribution's package to what came with it, and from
 * the root to what it wants and to what nothing else leads to.
 */
export function assembleEdges(
  root: string,
  found: readonly Found[],
  components: AssembledComponents,
): readonly DependencyEdges[] {
  const edges = new Map<string, Set<string>>();
  const from = (ref: string): Set<string> => {
    const known = edges.get(ref);
    if (known !== undefined) return known;
    const made = new Set<string>();
    edges.set(ref, made);
    return made;
  };
  const rootEdges = from(root);
  for (const one of found) {
    for (const edge of one.edges) {
      const ref = components.refOf(one, edge.from);
      if (ref === undefined) continue;
      const to = from(ref);
      for (const key of edge.to) {
        const target = components.refOf(one, key);
        if (target !== undefined && target !== ref) to.add(target);
      }
    }
    for (const key of one.roots) {
      const ref = components.refOf(one, key);
      if (ref !== undefined) rootEdges.add(ref);
    }
  }
  for (const { ref, properties } of components.all) {
    for (const { name, value } of properties) if (name === ownedByProperty) from(value).add(ref);
  }
  reachAll(root, components.all, edges);
  return [...edges]
    .map(([ref, to]) => ({ from: ref, to: [...to].sort(compareTreePaths) }))
    .sort((a, b) => compareTreePaths(a.from, b.from));
}

/** Adds edges of the root to what nothing leads to, in byte order of refs: first where nobody points, then cycles. */
function reachAll(root: string, components: readonly Component[], edges: Map<string, Set<string>>): void {
  const reached = new Set<string>();
  const visit = (start: string) => {
    const pending = [start];
    for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
      if (reached.has(ref)) continue;
      reached.add(ref);
      for (const next of edges.get(ref) ?? []) if (!reached.has(next)) pending.push(next);
    }
  };
  visit(root);
  const wanted = new Set([...edges.values()].flatMap((to) => [...to]));
  const rootEdges = edges.get(root);
  for (const isHead of [true, false]) {
    for (const { ref } of components) {
      if (reached.has(ref) || (isHead && wanted.has(ref))) continue;
      rootEdges?.add(ref);
      visit(ref);
    }
  }
}
