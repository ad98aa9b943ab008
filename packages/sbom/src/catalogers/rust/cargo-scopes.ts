import type { LockedPackage } from "@touchmark/formats/lockfiles";
import type { ComponentScope } from "@touchmark/formats/sbom";
import type { CargoManifest, DependencyKind } from "./cargo-manifest.ts";

/** From what counts most to what counts least. */
const order = ["runtime", "build", "optional", "development"] as const;

/**
 * What each locked crate is needed for: manifests of the workspace's own packages say it of what they ask for, and what
 * that leads to is needed for the same. Which of the edges of others are for building only, the lockfile does not say.
 */
export function cargoScopes(
  packages: readonly LockedPackage[],
  manifestOf: (locked: LockedPackage) => CargoManifest | undefined,
  shared: ReadonlyMap<string, string>,
): ReadonlyMap<string, ComponentScope> {
  const byKey = new Map(packages.map((one) => [one.key, one]));
  const scopes = new Map<string, ComponentScope>();
  const local = packages.filter(({ from }) => from.kind === "local");
  for (const { key } of local) scopes.set(key, "runtime");
  for (const kind of order) {
    const open = local.flatMap((one) => wanted(one, kind, manifestOf(one), byKey, shared));
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (scopes.has(key)) continue;
      scopes.set(key, kind);
      open.push(...(byKey.get(key)?.dependencies ?? []));
    }
  }
  return scopes;
}

/** What one of the own packages asks for, for one purpose. */
function wanted(
  one: LockedPackage,
  kind: DependencyKind,
  manifest: CargoManifest | undefined,
  byKey: ReadonlyMap<string, LockedPackage>,
  shared: ReadonlyMap<string, string>,
): string[] {
  if (manifest === undefined) return kind === "runtime" ? [...one.dependencies] : [];
  const renamed = new Map([...manifest.dependencies].map(([name, kinds]) => [shared.get(name) ?? name, kinds]));
  return one.dependencies.filter((key) => {
    const name = byKey.get(key)?.name ?? "";
    const kinds = manifest.dependencies.get(name) ?? renamed.get(name);
    // What the manifest does not name comes by a form that is not known here: it may run.
    return kinds === undefined ? kind === "runtime" : kinds.has(kind);
  });
}
