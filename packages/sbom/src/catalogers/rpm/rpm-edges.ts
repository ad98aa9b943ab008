import type { Found } from "../../catalogue/cataloger.ts";
import { databaseMalformed } from "./page-file.ts";
import type { RpmPackage } from "./rpm-package.ts";

/** More than any system has: everything needs everything only in a database that was made to say so. */
const mostEdges = 5_000_000;

/**
 * Which packages need which: all that provide a name, or the file, that is required. Versions are not compared: what is
 * installed fits. Roots are those that nothing needs. @throws SBOM_RPM_DATABASE_MALFORMED
 */
export function rpmEdges(installed: readonly { readonly key: string; readonly package: RpmPackage }[]): {
  readonly edges: Found["edges"];
  readonly roots: readonly string[];
} {
  const providers = new Map<string, Set<string>>();
  const required = new Set(installed.flatMap((one) => one.package.requires));
  for (const { key, package: one } of installed) {
    for (const name of [one.name, ...one.provides]) if (required.has(name)) add(providers, name, key);
    for (const file of one.files) if (required.has(file)) add(providers, file, key);
  }
  let count = 0;
  const edges = installed.map(({ key, package: one }) => {
    const to = new Set<string>();
    for (const name of one.requires) {
      const found = providers.get(name) ?? new Set();
      count += found.size;
      if (count > mostEdges) throw databaseMalformed(`expected at most ${mostEdges} needs of packages`);
      for (const provider of found) if (provider !== key) to.add(provider);
    }
    return { from: key, to: [...to] };
  });
  const needed = new Set(edges.flatMap(({ to }) => to));
  return { edges, roots: installed.map(({ key }) => key).filter((key) => !needed.has(key)) };
}

function add(map: Map<string, Set<string>>, name: string, key: string): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, new Set([key]));
  else known.add(key);
}
