import { cargoPackageUrl } from "@touchmark/formats/package-url";
import type { ScanLoss } from "@touchmark/formats/sbom";
import type { Cataloger, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { scanLoss } from "../scan-loss.ts";
import { type AuditableCrate, readDependencyList } from "./dependency-list.ts";
import { isProgram, readPrograms } from "./programs.ts";

const rule = "rust-auditable";

/** Programs that cargo-auditable built: their crates, with the edges between them. */
export const rustBinaries: Cataloger = {
  name: "rust-binaries",
  wants: ({ head, size }) => size >= 64 && isProgram(head),
  catalogue(files): Found {
    const components: FoundComponent[] = [];
    const edges: { from: string; to: readonly string[] }[] = [];
    const roots: string[] = [];
    const losses: ScanLoss[] = [];
    for (const file of files) {
      try {
        const lists = readPrograms(file).map(readDependencyList);
        for (const [place, crates] of lists.entries()) {
          // Architectures of a universal file are listed again only where they differ.
          const isNew = lists.findIndex((other) => JSON.stringify(other) === JSON.stringify(crates)) === place;
          if (crates === undefined || !isNew) continue;
          const key = (index: number) => `${file.path}#${place}.${index}`;
          const direct = new Set(crates.flatMap(({ root, dependencies }) => (root ? dependencies : [])));
          components.push(
            ...crates.map((crate, index) => ({
              ...crateComponent(file, crate, key(index)),
              ...(direct.has(index) && { direct: true }),
            })),
          );
          edges.push(...crates.map(({ dependencies }, index) => ({ from: key(index), to: dependencies.map(key) })));
          roots.push(...crates.flatMap(({ root }, index) => (root ? [key(index)] : [])));
        }
      } catch (error) {
        losses.push(scanLoss(file.path, error));
      }
    }
    return { components, edges, roots, losses };
  },
};

function crateComponent(file: CollectedFile, crate: AuditableCrate, key: string): FoundComponent {
  const { name, version, source, build, root } = crate;
  return {
    key,
    kind: root ? "application" : "library",
    name,
    version,
    purl: cargoPackageUrl(name, version),
    type: "cargo",
    scope: build ? "build" : "runtime",
    properties: source === "crates.io" ? [] : [{ name: "touchmark:cargo-source", value: source }],
    occurrences: [{ path: file.path, rule, ...(file.layer && { layer: file.layer }) }],
    ...(root && { owns: [file.path] }),
  };
}
