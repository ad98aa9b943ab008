import { composerPackageUrl } from "@touchmark/formats/package-url";
import type { ComponentScope } from "@touchmark/formats/sbom";
import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { fileMalformed } from "../json-object.ts";
import type { ComposerPackage } from "./composer-package.ts";

const mostEdges = 1_000_000;

/** A package, and what it is needed for. */
export interface ScopedPackage {
  readonly package: ComposerPackage;
  readonly scope: ComponentScope;
}

/** Components of one file, with the edges between them. */
export function composerFound(file: CollectedFile, packages: readonly ScopedPackage[], rule: string): Found {
  const keyOf = (one: ComposerPackage) => `${file.path}#${one.name}`;
  const byName = providers(packages);
  let count = 0;
  const edges = packages.map(({ package: one }) => {
    const to = new Set(one.requires.flatMap((name) => byName.get(name) ?? []));
    to.delete(one.name);
    count += to.size;
    if (count > mostEdges) throw fileMalformed(`expected at most ${mostEdges} edges`);
    return { from: keyOf(one), to: [...to].map((name) => `${file.path}#${name}`) };
  });
  const needed = new Set(edges.flatMap(({ to }) => to));
  return {
    components: packages.map((one) => ({ key: keyOf(one.package), ...component(file, one, rule) })),
    edges,
    roots: edges.map(({ from }) => from).filter((key) => !needed.has(key)),
    losses: [],
  };
}

/** Names of the packages that stand for a name: the one that has it, else those that provide or replace it. */
function providers(packages: readonly ScopedPackage[]): ReadonlyMap<string, readonly string[]> {
  const own = new Set(packages.map(({ package: one }) => one.name));
  const byName = new Map<string, string[]>([...own].map((name) => [name, [name]]));
  for (const { package: one } of packages) {
    for (const name of one.names) {
      if (own.has(name)) continue;
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [one.name]);
      else if (known.length < 100) known.push(one.name);
    }
  }
  return byName;
}

function component(
  file: CollectedFile,
  { package: one, scope }: ScopedPackage,
  rule: string,
): Omit<FoundComponent, "key"> {
  const { name, version, licence, authors, homepage, description, download, sha1, source, local } = one;
  return {
    kind: "library",
    name,
    version,
    ...(local === undefined && { purl: composerPackageUrl(name, version) }),
    type: "composer",
    scope,
    hashes: sha1 === undefined ? [] : [{ algorithm: "sha1", value: sha1 }],
    declaredLicences: licence === undefined ? [] : [normaliseDeclared(licence, file.path)],
    ...(authors.length > 0 && { supplier: authors.slice(0, 20).join(", ") }),
    ...(homepage !== undefined && { homepage }),
    ...(description !== undefined && { description }),
    ...(download !== undefined && { downloadLocation: download }),
    properties: [
      ...(local === undefined ? [] : [{ name: "touchmark:local-path", value: local }]),
      ...(source === undefined ? [] : [{ name: "touchmark:vcs", value: source }]),
    ],
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
  };
}
