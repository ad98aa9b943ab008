import type { FixAdvice } from "@touchmark/formats/findings";
import type { Sbom } from "@touchmark/formats/sbom";

/** Shortest ways from the root of an SBOM to its components. */
export interface DependencyPaths {
  /** The direct dependencies that lead to a component, each with one shortest path, in byte order of refs. */
  directOf(component: string): FixAdvice["direct"];
}

/** Edges that may be walked for one SBOM before only the shortest of all ways is shown. */
const mostSteps = 20_000_000;
const mostDirect = 100;
/** Refs in all paths together; beyond, none are shown. */
const mostRefs = 2_000_000;

/** Paths of an SBOM. Projects (lockfiles' own components between the root and their dependencies) are passed through. */
export function dependencyPaths(sbom: Sbom): DependencyPaths {
  const kinds = new Map(sbom.components.map((each) => [each.ref, each.kind]));
  const down = new Map(sbom.dependencies.map(({ from, to }) => [from, to.filter((ref) => kinds.has(ref))]));
  const up = reversed(down);
  const { parents, direct } = fromRoot(sbom.root, down, (ref) => kinds.get(ref) === "application");
  const known = new Map<string, FixAdvice["direct"]>();
  let steps = 0;
  let refs = 0;

  function shortestOfAll(component: string): FixAdvice["direct"] {
    const path = wayTo(component, parents);
    const first = path.find((ref) => direct.has(ref));
    return first === undefined ? [] : [{ ref: first, path }];
  }

  function allOf(component: string): FixAdvice["direct"] {
    // Backwards from the component: `next` leads from each ref the shortest way down to it.
    const next = new Map<string, string>([[component, component]]);
    const queue = [component];
    for (let i = 0; i < queue.length; i++) {
      const ref = queue[i] ?? "";
      for (const above of up.get(ref) ?? []) {
        steps++;
        if (next.has(above) || above === sbom.root) continue;
        next.set(above, ref);
        queue.push(above);
      }
    }
    const found: { ref: string; path: readonly string[] }[] = [];
    for (const ref of direct) {
      if (!next.has(ref)) continue;
      const path = wayTo(ref, parents);
      for (let at = ref; at !== component; ) {
        at = next.get(at) ?? component;
        path.push(at);
      }
      found.push({ ref, path });
    }
    found.sort((a, b) => (a.ref < b.ref ? -1 : 1));
    return found.slice(0, mostDirect);
  }

  return {
    directOf(component) {
      let found = known.get(component);
      if (found === undefined) {
        found = refs > mostRefs ? [] : steps > mostSteps ? shortestOfAll(component) : allOf(component);
        for (const { path } of found) refs += path.length;
        known.set(component, found);
      }
      return found;
    },
  };
}

function reversed(down: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const up = new Map<string, string[]>();
  for (const [from, to] of down) {
    for (const ref of to) {
      const held = up.get(ref);
      if (held === undefined) up.set(ref, [from]);
      else held.push(from);
    }
  }
  return up;
}

/** Breadth first: the parent of each ref on its shortest way, and what the root or a project of it wants itself. */
function fromRoot(root: string, down: ReadonlyMap<string, readonly string[]>, isProject: (ref: string) => boolean) {
  const parents = new Map<string, string>([[root, root]]);
  const direct = new Set<string>();
  const projects = new Set([root]);
  const queue = [root];
  for (let i = 0; i < queue.length; i++) {
    const ref = queue[i] ?? "";
    for (const below of down.get(ref) ?? []) {
      if (projects.has(ref)) {
        if (isProject(below) && (down.get(below)?.length ?? 0) > 0) projects.add(below);
        else direct.add(below);
      }
      if (parents.has(below)) continue;
      parents.set(below, ref);
      queue.push(below);
    }
  }
  return { parents, direct };
}

function wayTo(ref: string, parents: ReadonlyMap<string, string>): string[] {
  if (!parents.has(ref)) return [];
  const path = [ref];
  for (let at = ref, up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) {
    path.push(up);
    at = up;
  }
  return path.reverse();
}
