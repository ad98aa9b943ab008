import { sha256 } from "@touchmark/core";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import { DocumentReport } from "../problems.ts";
import { componentResidue, frameResidue, type Residue, reportResidue, residuePrefix } from "../residue.ts";
import type { Members } from "../shape.ts";
import { readCycloneComponent, writeCycloneComponent } from "./component.ts";
import type { CycloneContext, CycloneVersion } from "./context.ts";
import { readCycloneMetadata, writeCycloneMetadata } from "./frame.ts";
import type { CycloneStyle } from "./style.ts";

/** An SBOM as the members of a CycloneDX document; the serial number is made of its content. */
export function cycloneDocument(
  sbom: Sbom,
  version: CycloneVersion,
  style: CycloneStyle,
  report: DocumentReport,
): Members {
  const { components, dependencies, ...frame } = sbom;
  const metadata = style.members(writeCycloneMetadata(frame));
  const context: CycloneContext = {
    distribution: sbom.distribution,
    direct: new Set(dependencies.find(({ from }) => from === sbom.root)?.to.map(style.identifier)),
    version,
    report: new DocumentReport(),
  };
  const write = (component: Component): Members => {
    const native = { ...writeCycloneComponent(component), "bom-ref": style.identifier(component.ref) };
    const written = style.members(native);
    const read = readCycloneComponent(written, "", context);
    const residue = componentResidue(component, read);
    reportResidue(residue, read, { of: "a component", by: "properties" }, report);
    return withProperties(written, residue, style);
  };
  const root = components.find(({ ref }) => ref === sbom.root) as Component;
  const readRoot = { ...readCycloneComponent(style.members(writeCycloneComponent(root)), "", context), ref: root.ref };
  const readFrame = readCycloneMetadata(metadata, readRoot);
  const residue = frameResidue(frame, readFrame);
  reportResidue(residue, readFrame, { of: "the document", by: "properties" }, report);
  const body = {
    version: 1,
    metadata: withProperties({ ...metadata, component: write(root) }, residue, style),
    components: components.filter((component) => component !== root).map(write),
    dependencies: dependencies.map(({ from, to }) => ({
      ref: style.identifier(from),
      ...(to.length === 0 ? {} : { dependsOn: to.map(style.identifier) }),
    })),
  };
  return {
    $schema: `http://cyclonedx.org/schema/bom-${version}.schema.json`,
    bomFormat: "CycloneDX",
    specVersion: version,
    serialNumber: serialOf(JSON.stringify(body)),
    ...body,
  };
}

/** Properties stand in their own place of a component, whatever else is there. */
function withProperties(written: Members, residue: Residue, style: CycloneStyle): Members {
  if (residue.size === 0) return written;
  const { properties, evidence, ...rest } = written;
  const told = [...residue].map(([name, value]) => ({ name: `${residuePrefix}${name}`, value: style.json(value) }));
  return {
    ...rest,
    properties: [...((properties as readonly Members[] | undefined) ?? []), ...told],
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** A UUID (RFC 9562, version 8) of the content: the same content has the same serial number. */
function serialOf(content: string): string {
  const hex = sha256(content).slice("sha256:".length);
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
