import type { FixAdvice } from "@touchmark/formats/findings";
import type { Sbom } from "@touchmark/formats/sbom";
import { graphOf } from "./graph.ts";

/** Shortest ways from the root of an SBOM to its components. */
export interface DependencyPaths {
  /** The direct dependencies that lead to a component, each with one shortest path, in byte order of refs. */
  directOf(component: string): FixAdvice["direct"];
}

/** Edges that may be walked for one SBOM before only the shortest of all ways is shown. */
const mostSteps = 5_000_000;
const mostDirect = 100;
/** Refs in all paths together; beyond, none are shown. */
const mostRefs = 500_000;

/** Paths of an SBOM. Projects (lockfiles' own components between the root and their dependencies) are passed through. */
export function dependencyPaths(sbom: Sbom): DependencyPaths {
  const graph = graphOf(sbom);
  const { refs, root, up } = graph;
  const { parents, direct } = fromRoot(graph);
  const known = new Map<string, FixAdvice["direct"]>();
  // Of the walk for one component: where each ref leads on its shortest way down, and in which walk that was found.
  const next = new Int32Array(refs.length);
  const walk = new Int32Array(refs.length).fill(-1);
  const queue = new Int32Array(refs.length);
  let steps = 0;
  let shown = 0;

  function shortestOfAll(component: number): FixAdvice["direct"] {
    const path = wayTo(component, parents);
    const first = path.find((at) => direct.has(at));
    return first === undefined ? [] : [{ ref: refs[first] ?? "", path: path.map((at) => refs[at] ?? "") }];
  }

  function allOf(component: number): FixAdvice["direct"] {
    walk[component] = component;
    queue[0] = component;
    let length = 1;
    for (let i = 0; i < length; i++) {
      const at = queue[i] ?? 0;
      for (const above of up[at] ?? []) {
        steps++;
        if (walk[above] === component || above === root) continue;
        walk[above] = component;
        next[above] = at;
        queue[length++] = above;
      }
    }
    const found: { ref: string; path: readonly string[] }[] = [];
    for (const first of direct) {
      if (walk[first] !== component) continue;
      const path = wayTo(first, parents);
      for (let at = first; at !== component; ) {
        at = next[at] ?? component;
        path.push(at);
      }
      found.push({ ref: refs[first] ?? "", path: path.map((at) => refs[at] ?? "") });
      if (found.length >= mostDirect) break;
    }
    return found.sort((a, b) => (a.ref < b.ref ? -1 : 1));
  }

  return {
    directOf(ref) {
      let found = known.get(ref);
      if (found === undefined) {
        const component = graph.indexOf(ref);
        if (component === undefined || shown > mostRefs) found = [];
        else found = steps > mostSteps ? shortestOfAll(component) : allOf(component);
        for (const { path } of found) shown += path.length;
        known.set(ref, found);
      }
      return found;
    },
  };
}

/** Breadth first: the parent of each ref on its shortest way, and what the root or a project of it wants itself. */
function fromRoot({ refs, root, down, isProject }: ReturnType<typeof graphOf>) {
  const parents = new Int32Array(refs.length).fill(-1);
  const direct = new Set<number>();
  const projects = new Set([root]);
  parents[root] = root;
  const queue = [root];
  for (let i = 0; i < queue.length; i++) {
    const at = queue[i] ?? 0;
    for (const below of down[at] ?? []) {
      if (projects.has(at)) {
        if (isProject(below)) projects.add(below);
        else direct.add(below);
      }
      if (parents[below] !== -1) continue;
      parents[below] = at;
      queue.push(below);
    }
  }
  return { parents, direct };
}

/** Empty for what the root does not lead to. */
function wayTo(component: number, parents: Int32Array): number[] {
  const path: number[] = [];
  for (let at = component; (parents[at] ?? -1) !== -1; at = parents[at] ?? 0) {
    path.push(at);
    if (parents[at] === at) break;
  }
  return path.reverse();
}
