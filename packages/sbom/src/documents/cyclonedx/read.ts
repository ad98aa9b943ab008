import type { Component, Sbom } from "@touchmark/formats/sbom";
import { assembleSbom, type IdentifiedComponent, type IdentifiedEdges } from "../assemble.ts";
import { sbomDocumentErrors } from "../errors.ts";
import { documentLimits } from "../limits.ts";
import { DocumentReport } from "../problems.ts";
import { overlayComponent, overlayFrame, type Residue, residuePrefix } from "../residue.ts";
import { madeUpRoot } from "../root.ts";
import { type Members, objects, optionalMembers, optionalText, text, texts } from "../shape.ts";
import { checkCycloneComponent, checkCycloneDocument, servicesOf } from "./check.ts";
import { readCycloneComponent, readProperties, writeCycloneComponent } from "./component.ts";
import type { CycloneContext } from "./context.ts";
import { readCycloneMetadata } from "./frame.ts";
import type { CycloneStyle } from "./style.ts";

const versions: ReadonlySet<string> = new Set(["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"]);
const knownMembers: ReadonlySet<string> = new Set([
  "$schema",
  "bomFormat",
  "specVersion",
  "serialNumber",
  "version",
  "metadata",
  "components",
  "dependencies",
]);

/**
 * Reads the members of a CycloneDX document, 1.2 to 1.7.
 * @throws SBOM_DOCUMENT_VERSION_UNSUPPORTED | SBOM_DOCUMENT_MALFORMED | SBOM_DOCUMENT_TOO_LARGE
 */
export function sbomOfCyclone(document: Members, style: CycloneStyle, name: string, report: DocumentReport): Sbom {
  const version = text(document["specVersion"], "specVersion");
  if (!versions.has(version)) {
    throw sbomDocumentErrors.make(
      "SBOM_DOCUMENT_VERSION_UNSUPPORTED",
      `expected CycloneDX 1.2 to 1.7, found ${JSON.stringify(version.slice(0, 40))}`,
    );
  }
  for (const member of Object.keys(document)) {
    if (!knownMembers.has(member)) report.loss(`member ${member.slice(0, 60)} of the document`);
  }
  checkCycloneDocument(document, report);
  const metadata = optionalMembers(document["metadata"], "metadata") ?? {};
  const written = flatten(document, metadata, name, report);
  const [first] = written;
  for (const { written: component, where } of written) checkCycloneComponent(component, where, version, report);
  const edges = edgesOf(document, report);
  checkCounts(written.length, edges);
  const direct = new Set(edges.filter(({ from }) => from === first.id).flatMap(({ to }) => to));
  const plain: CycloneContext = { direct, version: "1.7", report };
  const root = readCycloneComponent(first.written, first.where, { ...plain, report: new DocumentReport() });
  const residue = residueOf(metadata, "metadata");
  const frame = overlayFrame(readCycloneMetadata(metadata, root), residue, "metadata", report);
  const context: CycloneContext = { ...plain, distribution: frame.distribution };
  const components = written.map((component) => readWhole(component, style, context));
  const tellsDistribution = residue.has("distribution");
  return assembleSbom({ frame, root: first.id, components, edges, tellsDistribution }, report);
}

/** Edges between components; those of services are no edges of ours. */
function edgesOf(document: Members, report: DocumentReport): readonly IdentifiedEdges[] {
  const services = servicesOf(document);
  return objects(document["dependencies"], "dependencies").flatMap((entry, index): readonly IdentifiedEdges[] => {
    const where = `dependencies[${index}]`;
    const from = text(entry["ref"], `${where}.ref`);
    const to = texts(entry["dependsOn"], `${where}.dependsOn`);
    if (services.has(from) || to.some((ref) => services.has(ref))) report.loss("edges of services");
    if (new Set(to).size < to.length) report.defect(`${where}.dependsOn`, "expected each once");
    return services.has(from) ? [] : [{ from, to: to.filter((ref) => !services.has(ref)), where }];
  });
}

interface WrittenComponent {
  readonly id: string;
  readonly written: Members;
  readonly where: string;
}

/** The subject's component first, then all others, those nested in others too. */
function flatten(
  document: Members,
  metadata: Members,
  name: string,
  report: DocumentReport,
): readonly [WrittenComponent, ...WrittenComponent[]] {
  const found: WrittenComponent[] = [];
  const waiting: { written: Members; where: string; isNested: boolean }[] = [];
  const subject = optionalMembers(metadata["component"], "metadata.component");
  if (subject === undefined) {
    report.problem("SBOM_DOCUMENT_SUBJECT_MISSING", "metadata.component", "the document does not say what it is about");
  }
  const listed = objects(document["components"], "components");
  for (let index = listed.length - 1; index >= 0; index--) {
    waiting.push({ written: listed[index] as Members, where: `components[${index}]`, isNested: false });
  }
  waiting.push({
    written: subject ?? writeCycloneComponent(madeUpRoot(name)),
    where: "metadata.component",
    isNested: false,
  });
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { written, where, isNested } = next;
    if (isNested) report.loss("nesting of a component in another");
    found.push({ id: identify(written, where), written, where });
    const nested = objects(written["components"], `${where}.components`);
    for (let index = nested.length - 1; index >= 0; index--) {
      waiting.push({ written: nested[index] as Members, where: `${where}.components[${index}]`, isNested: true });
    }
    if (found.length > documentLimits.components) throw tooMany("components", documentLimits.components);
  }
  return found as [WrittenComponent, ...WrittenComponent[]];
}

/** Its `bom-ref`; a component without one cannot be named by relations, only by its place. */
function identify(written: Members, where: string): string {
  const id = optionalText(written["bom-ref"], `${where}.bom-ref`);
  return id === undefined || id === "" ? `\u0000${where}` : id;
}

function readWhole(
  { id, written, where }: WrittenComponent,
  style: CycloneStyle,
  context: CycloneContext,
): IdentifiedComponent {
  const native = readCycloneComponent(written, where, context);
  const aside = { ...context, report: new DocumentReport() };
  const form = {
    write: (component: Component) =>
      style.members({ ...writeCycloneComponent(component), "bom-ref": style.identifier(component.ref) }),
    read: (again: Members) => readCycloneComponent(again, where, aside),
  };
  return {
    id,
    component: overlayComponent(native, residueOf(written, where), form, where, context.report),
    where,
  };
}

/** What properties tell beside the format's own members. */
function residueOf(written: Members, where: string): Residue {
  const residue = new Map<string, string>();
  for (const { name, value } of readProperties(written["properties"], `${where}.properties`)) {
    if (name.startsWith(residuePrefix)) residue.set(name.slice(residuePrefix.length), value);
  }
  return residue;
}

function checkCounts(components: number, edges: readonly IdentifiedEdges[]): void {
  let relations = 0;
  for (const { to } of edges) relations += to.length;
  if (relations > documentLimits.relations) throw tooMany("relations", documentLimits.relations);
  if (components > documentLimits.components) throw tooMany("components", documentLimits.components);
}

function tooMany(what: string, most: number) {
  return sbomDocumentErrors.make("SBOM_DOCUMENT_TOO_LARGE", `expected at most ${most} ${what}`);
}
