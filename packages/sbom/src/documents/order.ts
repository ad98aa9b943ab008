import { compareTreePaths } from "@touchmark/core";
import type { Component, DependencyEdges } from "@touchmark/formats/sbom";

/** Byte order of UTF-8, of anything by a text of it. */
export function inOrder<Item>(items: Iterable<Item>, textOf: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => compare(textOf(a), textOf(b)));
}

/** Surrogates without their half have the same bytes; they are told apart by their number. */
function compare(a: string, b: string): number {
  const order = compareTreePaths(a, b);
  return order !== 0 || a === b ? order : a < b ? -1 : 1;
}

/** Components by ref. */
export function orderedComponents(components: Iterable<Component>): Component[] {
  return inOrder(components, ({ ref }) => ref);
}

/** Edges by `from`, each `to` sorted and without repetition; several entries of one `from` become one. */
export function orderedEdges(edges: Iterable<DependencyEdges>): DependencyEdges[] {
  const all = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    const known = all.get(from);
    if (known === undefined) all.set(from, new Set(to));
    else for (const each of to) known.add(each);
  }
  return inOrder(all, ([from]) => from).map(([from, to]) => ({ from, to: inOrder(to, (each) => each) }));
}
