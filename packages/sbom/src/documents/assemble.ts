import { canonicalJson } from "@touchmark/core";
import type { Component, DependencyEdges, Sbom } from "@touchmark/formats/sbom";
import { contradictionsOf } from "./consistency.ts";
import { cyclesOf } from "./cycles.ts";
import { withDistribution } from "./distribution.ts";
import { sbomDocumentErrors } from "./errors.ts";
import { FreeRefs } from "./free-refs.ts";
import { orderedComponents, orderedEdges } from "./order.ts";
import type { DocumentReport } from "./problems.ts";
import type { SbomFrame } from "./record.ts";

/** A component with the identifier that relations of its document name it by. */
export interface IdentifiedComponent {
  readonly id: string;
  readonly component: Component;
  readonly where: string;
}

/** A relation by identifiers of the document. */
export interface IdentifiedEdges {
  readonly from: string;
  readonly to: readonly string[];
  readonly where: string;
}

/** Parts of a document, before references are resolved. */
export interface DocumentParts {
  readonly frame: Omit<SbomFrame, "root">;
  /** Identifier of the component that the document is about. */
  readonly root: string;
  readonly components: readonly IdentifiedComponent[];
  readonly edges: readonly IdentifiedEdges[];
  /** The document says which distribution it is about, or that there is none: nothing is to be inferred. */
  readonly tellsDistribution: boolean;
}

/**
 * Makes one SBOM of them: every component has a ref of its own, every edge has two ends. What a document has twice, or
 * names without having it, is reported; nothing that it lists is dropped.
 */
export function assembleSbom(parts: DocumentParts, report: DocumentReport): Sbom {
  const { frame, root, components, edges, tellsDistribution } = parts;
  const refs = new Map<string, string>();
  const free = new FreeRefs();
  const kept = new Map<string, Component>();
  for (const { id, component, where } of components) {
    const before = kept.get(component.ref);
    if (before !== undefined && refs.has(id) && canonicalJson(before) === canonicalJson(component)) {
      report.problem("SBOM_DOCUMENT_REFERENCE_DUPLICATE", where, `${quoted(id)} stands twice, with the same content`);
      continue;
    }
    if (refs.has(id)) {
      report.problem(
        "SBOM_DOCUMENT_REFERENCE_DUPLICATE",
        where,
        `${quoted(id)} names two components; relations belong to the first`,
      );
    }
    for (const contradiction of contradictionsOf(component)) {
      report.problem("SBOM_DOCUMENT_CONTRADICTION", where, `${quoted(component.ref)}: ${contradiction}`);
    }
    const ref = free.take(component.ref);
    kept.set(ref, ref === component.ref ? component : { ...component, ref });
    if (!refs.has(id)) refs.set(id, ref);
  }
  const resolved = resolve(edges, refs, report);
  const dependencies = orderedEdges(resolved);
  const cycles = cyclesOf(dependencies);
  for (const cycle of cycles) {
    report.problem("SBOM_DOCUMENT_CYCLE", "", `${cycle.length} depend on each other: ${cycle.slice(0, 8).join(", ")}`);
  }
  const sbom: Sbom = {
    ...frame,
    root: refs.get(root) ?? root,
    components: orderedComponents(kept.values()),
    dependencies,
  };
  return tellsDistribution ? sbom : withDistribution(sbom);
}

/**
 * Refuses an SBOM that is none: refs twice, edges without ends, a root that is not there.
 * @throws SBOM_DOCUMENT_MALFORMED
 */
export function checkSbom({ root, components, dependencies }: Sbom): void {
  const refs = new Set(components.map(({ ref }) => ref));
  const fault = (message: string) => sbomDocumentErrors.make("SBOM_DOCUMENT_MALFORMED", message);
  if (refs.size !== components.length) throw fault("expected a ref for each component, found one twice");
  if (!refs.has(root)) throw fault(`expected the root among the components, found no ${quoted(root)}`);
  const from = new Set<string>();
  for (const edges of dependencies) {
    if (from.has(edges.from)) throw fault(`expected one entry of edges for ${quoted(edges.from)}, found two`);
    from.add(edges.from);
    const missing = [edges.from, ...edges.to].find((ref) => !refs.has(ref));
    if (missing !== undefined) throw fault(`expected edges between components, found ${quoted(missing)}`);
  }
}

function resolve(
  edges: readonly IdentifiedEdges[],
  refs: ReadonlyMap<string, string>,
  report: DocumentReport,
): DependencyEdges[] {
  const resolved: DependencyEdges[] = [];
  const missing = (id: string, where: string): void =>
    report.problem("SBOM_DOCUMENT_REFERENCE_DANGLING", where, `${quoted(id)} is no component of the document`);
  for (const { from, to, where } of edges) {
    const source = refs.get(from);
    if (source === undefined) {
      missing(from, where);
      continue;
    }
    const known: string[] = [];
    for (const id of to) {
      const target = refs.get(id);
      if (target === undefined) missing(id, where);
      else known.push(target);
    }
    // Edges that all lead nowhere do not say that it depends on nothing.
    if (known.length > 0 || to.length === 0) resolved.push({ from: source, to: known });
  }
  return resolved;
}

function quoted(id: string): string {
  return JSON.stringify(id.slice(0, 200));
}
