import { sha256 } from "@touchmark/core";
import type { Component, Sbom } from "@touchmark/formats/sbom";
import type { ExtractedLicence } from "../licences.ts";
import { DocumentReport } from "../problems.ts";
import { annotationOf, componentResidue, frameResidue, type Residue, reportResidue } from "../residue.ts";
import type { Members } from "../shape.ts";
import { refsOfPackages, type SpdxContext, type WrittenPackage } from "./context.ts";
import { readCreation, writeCreation } from "./frame.ts";
import { readSpdxPackage, spdxIdentifier, writeSpdxPackage } from "./package.ts";
import type { SpdxStyle } from "./style.ts";

/** An SBOM as the members of an SPDX 2.3 document; its namespace is made of its content. */
export function spdxDocument(sbom: Sbom, style: SpdxStyle, report: DocumentReport): Members {
  const { components, dependencies, ...frame } = sbom;
  const ids = new Map(components.map((component) => [component.ref, spdxIdentifier(component)]));
  const idOf = (ref: string): string => ids.get(ref) ?? ref;
  const creation = style.members(writeCreation(frame));
  const annotated = { date: String(creation["created"]), style };
  const context: SpdxContext = {
    distribution: sbom.distribution,
    direct: new Set(dependencies.find(({ from }) => from === sbom.root)?.to.map(idOf)),
    refs: refsOfPackages(components.map(({ ref, purl }) => [idOf(ref), purl])),
    scopes: new Map(),
    report: new DocumentReport(),
  };
  const extracted = new Map<string, ExtractedLicence>();
  const write = (component: Component): Members => {
    const written = styled(writeSpdxPackage(component, idOf(component.ref)), style);
    for (const [id, licence] of written.extracted) extracted.set(id, licence);
    const read = readSpdxPackage(written, "", context);
    const residue = componentResidue(component, read);
    reportResidue(residue, read, { of: "a component", by: "annotations" }, report);
    return residue.size === 0 ? written.package : { ...written.package, ...annotations(residue, annotated) };
  };
  const root = components.find(({ ref }) => ref === sbom.root) as Component;
  const readRoot = readSpdxPackage(styled(writeSpdxPackage(root, idOf(root.ref)), style), "", context);
  const readFrame = readCreation({ creationInfo: creation }, { ...readRoot, ref: root.ref });
  const residue = frameResidue(frame, readFrame);
  reportResidue(residue, readFrame, { of: "the document", by: "annotations" }, report);
  const body = {
    creationInfo: creation,
    packages: components.map(write),
    ...(extracted.size === 0 ? {} : { hasExtractedLicensingInfos: infos(extracted) }),
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", idOf(sbom.root)),
      ...dependencies.flatMap(({ from, to }) =>
        (to.length === 0 ? ["NONE"] : to.map(idOf)).map((each) => relationship(idOf(from), "DEPENDS_ON", each)),
      ),
    ],
    ...(residue.size === 0 ? {} : annotations(residue, annotated)),
  };
  const name = String(style.members({ name: sbom.subject.name })["name"]);
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: name === "" ? "NOASSERTION" : name,
    documentNamespace: `https://touchmark.dev/spdx/${sha256(JSON.stringify(body)).slice("sha256:".length)}`,
    ...body,
  };
}

/** A package as its serialisation holds it. */
export function styled(written: WrittenPackage, style: SpdxStyle): WrittenPackage {
  const extracted = [...written.extracted].map(
    ([id, licence]) => [id, { ...licence, text: style.block(licence.text) }] as const,
  );
  return { package: style.members(written.package), extracted: new Map(extracted) };
}

function annotations(residue: Residue, { date, style }: { readonly date: string; readonly style: SpdxStyle }): Members {
  return {
    annotations: [
      {
        annotationDate: date,
        annotationType: "OTHER",
        annotator: "Tool: touchmark",
        comment: style.json(annotationOf(residue)),
      },
    ],
  };
}

function infos(extracted: ReadonlyMap<string, ExtractedLicence>): readonly Members[] {
  return [...extracted]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licenseId, { text }]) => ({ licenseId, extractedText: text }));
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): Members {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}
