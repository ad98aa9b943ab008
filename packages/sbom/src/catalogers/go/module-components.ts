import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { ComponentHash } from "@touchmark/formats/sbom";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";

/** A module as a go.mod or modules.txt asks for it, with what stands in for it. */
export interface RequiredModule {
  readonly path: string;
  readonly version: string;
  readonly direct: boolean;
  readonly replacement?: { readonly path: string; readonly version?: string } | undefined;
  /** Only its hash stands in go.sum: it may be part of a build. */
  readonly isPerhaps?: boolean;
  readonly line?: number;
}

/** `PATH@VERSION` of the module that is built, after replacement; undefined when a directory is. */
export function builtModule({ path, version, replacement }: RequiredModule): string | undefined {
  if (replacement === undefined) return `${path}@${version}`;
  return replacement.version === undefined ? undefined : `${replacement.path}@${replacement.version}`;
}

/** The component of a module. @throws PACKAGE_URL_PART_INVALID */
export function moduleComponent(
  key: string,
  file: CollectedFile,
  rule: string,
  module: RequiredModule,
  hashes: readonly ComponentHash[],
): FoundComponent {
  const { replacement, line } = module;
  const directory = replacement !== undefined && replacement.version === undefined ? replacement.path : undefined;
  const path = directory === undefined ? (replacement?.path ?? module.path) : module.path;
  const version = directory === undefined ? (replacement?.version ?? module.version) : module.version;
  const properties = [
    ["touchmark:replaced-by-directory", directory],
    [
      "touchmark:replaces",
      replacement === undefined || directory !== undefined ? undefined : `${module.path}@${module.version}`,
    ],
    ["touchmark:go-sum-only", module.isPerhaps === true ? "true" : undefined],
  ] as const;
  return {
    key,
    kind: "library",
    name: path,
    version,
    // What a directory holds under a module's name is another than the module that advisories name.
    ...(directory === undefined && { purl: golangPackageUrl(path, version === "" ? undefined : version) }),
    type: "golang",
    scope: module.isPerhaps === true ? "unknown" : "runtime",
    direct: module.direct,
    hashes,
    occurrences: [
      {
        path: file.path,
        rule,
        ...(file.layer !== undefined && { layer: file.layer }),
        ...(line !== undefined && { line }),
      },
    ],
    properties: properties.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  };
}
