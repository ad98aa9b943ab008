import type { Found } from "../../catalogue/cataloger.ts";
import { fileMalformed } from "../json-object.ts";

/** Libraries of one framework, and which names each needs. */
export interface LinkedLibraries {
  /** Keys of components by name in lower case. */
  readonly keys: ReadonlyMap<string, string>;
  readonly needs: readonly (readonly [name: string, needs: readonly string[]])[];
}

const mostEdges = 1_000_000;

/** Edges of all frameworks together. What is needed and not there comes with the framework itself. */
export function linked(frameworks: readonly LinkedLibraries[]): Found["edges"] {
  const edges = new Map<string, Set<string>>();
  let count = 0;
  for (const { keys, needs } of frameworks) {
    for (const [name, needed] of needs) {
      const from = keys.get(name.toLowerCase());
      if (from === undefined) continue;
      const to = edges.get(from) ?? new Set<string>();
      edges.set(from, to);
      count += needed.length;
      if (count > mostEdges) throw fileMalformed(`expected at most ${mostEdges} edges`);
      for (const other of needed) {
        const key = keys.get(other.toLowerCase());
        if (key !== undefined && key !== from) to.add(key);
      }
    }
  }
  return [...edges].map(([from, to]) => ({ from, to: [...to] }));
}
