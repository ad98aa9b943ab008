import type { Sbom } from "@touchmark/formats/sbom";

/** The dependencies of an SBOM by numbers, both ways. Refs that are no component are left out. */
export function graphOf(sbom: Sbom) {
  const refs = sbom.components.map(({ ref }) => ref);
  const places = new Map(refs.map((ref, i) => [ref, i]));
  const down: number[][] = refs.map(() => []);
  const up: number[][] = refs.map(() => []);
  for (const { from, to } of sbom.dependencies) {
    const at = places.get(from);
    if (at === undefined) continue;
    for (const ref of to) {
      const below = places.get(ref);
      if (below === undefined) continue;
      down[at]?.push(below);
      up[below]?.push(at);
    }
  }
  return {
    refs,
    /** An SBOM whose root is no component has no ways: its place is behind all others. */
    root: places.get(sbom.root) ?? refs.length,
    down,
    up,
    indexOf: (ref: string): number | undefined => places.get(ref),
    /** An application that has dependencies of its own. */
    isProject: (at: number): boolean => sbom.components[at]?.kind === "application" && (down[at]?.length ?? 0) > 0,
  };
}
