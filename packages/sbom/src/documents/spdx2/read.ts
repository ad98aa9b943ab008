import type { Component, Sbom } from "@touchmark/formats/sbom";
import { assembleSbom, type IdentifiedComponent } from "../assemble.ts";
import { sbomDocumentErrors } from "../errors.ts";
import type { ExtractedLicence } from "../licences.ts";
import { documentLimits } from "../limits.ts";
import { DocumentReport } from "../problems.ts";
import { optional } from "../record.ts";
import { overlayComponent, overlayFrame, type Residue, residueOfAnnotations } from "../residue.ts";
import { madeUpRoot } from "../root.ts";
import { type Members, objects, optionalText, text } from "../shape.ts";
import { checkSpdxDocument } from "./check.ts";
import { refsOfPackages, type SpdxContext, type WrittenPackage } from "./context.ts";
import { readCreation } from "./frame.ts";
import { purlOf, readChecksums, readSpdxPackage, writeSpdxPackage } from "./package.ts";
import { readRelations } from "./relations.ts";
import type { SpdxStyle } from "./style.ts";
import { styled } from "./write.ts";

const knownMembers: ReadonlySet<string> = new Set([
  "$schema",
  "spdxVersion",
  "dataLicense",
  "SPDXID",
  "name",
  "documentNamespace",
  "creationInfo",
  "packages",
  "files",
  "relationships",
  "documentDescribes",
  "hasExtractedLicensingInfos",
  "annotations",
]);

/**
 * Reads the members of an SPDX 2.2 or 2.3 document.
 * @throws SBOM_DOCUMENT_VERSION_UNSUPPORTED | SBOM_DOCUMENT_MALFORMED | SBOM_DOCUMENT_TOO_LARGE
 */
export function sbomOfSpdx(document: Members, style: SpdxStyle, name: string, report: DocumentReport): Sbom {
  const version = text(document["spdxVersion"], "spdxVersion");
  if (!/^SPDX-2\.[23]$/.test(version)) {
    throw sbomDocumentErrors.make(
      "SBOM_DOCUMENT_VERSION_UNSUPPORTED",
      `expected SPDX 2.2 or 2.3, found ${JSON.stringify(version.slice(0, 40))}`,
    );
  }
  for (const member of Object.keys(document)) {
    if (!knownMembers.has(member)) report.loss(`member ${member.slice(0, 60)} of the document`);
  }
  checkSpdxDocument(document, report);
  const packages = objects(document["packages"], "packages");
  const files = objects(document["files"], "files");
  if (packages.length + files.length > documentLimits.components) {
    throw sbomDocumentErrors.make(
      "SBOM_DOCUMENT_TOO_LARGE",
      `expected at most ${documentLimits.components} packages and files`,
    );
  }
  const relations = readRelations(document, report);
  const ids = packages.map((each, index) => text(each["SPDXID"], `packages[${index}].SPDXID`));
  const root = relations.described.length === 1 ? (relations.described[0] as string) : undefined;
  const context: SpdxContext = {
    direct: new Set(relations.edges.filter(({ from }) => from === root).flatMap(({ to }) => to)),
    refs: refsOfPackages(packages.map((each, index) => [ids[index] as string, purlOf(each, `packages[${index}]`)])),
    scopes: relations.scopes,
    report,
  };
  const extracted = readExtracted(document);
  const rootIndex = root === undefined ? -1 : ids.indexOf(root);
  const rootPackage = packages[rootIndex];
  const isMadeUp = rootPackage === undefined && !files.some((file) => file["SPDXID"] === root);
  const described: Component =
    rootPackage === undefined
      ? madeUpRoot(optionalText(document["name"], "name") ?? name)
      : readSpdxPackage({ package: rootPackage, extracted }, "", { ...context, report: new DocumentReport() });
  const residue = residueOf(document, "document");
  const frame = overlayFrame(readCreation(document, described), residue, "document", report);
  const whole: SpdxContext = { ...context, distribution: frame.distribution };
  const components = packages.map((each, index) =>
    readWhole({ package: each, extracted }, ids[index] as string, `packages[${index}]`, style, whole),
  );
  const found = files.map((file, index) => readFile(file, `files[${index}]`, whole));
  const parts = {
    frame,
    root: root as string,
    components: [...components, ...found],
    edges: relations.edges,
    tellsDistribution: residue.has("distribution"),
  };
  if (!isMadeUp) return assembleSbom(parts, report);
  const { described: several } = relations;
  report.problem(
    "SBOM_DOCUMENT_SUBJECT_MISSING",
    "document",
    `the document describes ${several.length} packages of its own, not one`,
  );
  const self = { id: "SPDXRef-DOCUMENT", component: described, where: "document" };
  const edges = several.length === 0 ? [] : [{ from: self.id, to: several, where: "document" }];
  return assembleSbom(
    { ...parts, root: self.id, components: [self, ...parts.components], edges: [...parts.edges, ...edges] },
    report,
  );
}

function readWhole(
  written: WrittenPackage,
  id: string,
  where: string,
  style: SpdxStyle,
  context: SpdxContext,
): IdentifiedComponent {
  const native = readSpdxPackage(written, where, context);
  const aside = { ...context, report: new DocumentReport() };
  const form = {
    write: (component: Component) => styled(writeSpdxPackage(component, id), style),
    read: (again: WrittenPackage) => {
      const extracted = new Map([...written.extracted, ...again.extracted]);
      return readSpdxPackage({ package: again.package, extracted }, where, aside);
    },
  };
  const residue = residueOf(written.package, where);
  return { id, component: overlayComponent(native, residue, form, where, context.report), where };
}

/** Files are components, too: other tools list what they have looked at as files. */
function readFile(file: Members, where: string, context: SpdxContext): IdentifiedComponent {
  const id = text(file["SPDXID"], `${where}.SPDXID`);
  const path = text(file["fileName"], `${where}.fileName`).replace(/^(?:\.?\/)+/, "");
  const component: Component = {
    ref: id,
    kind: "file",
    name: path,
    version: "",
    type: "generic",
    scope: context.scopes.get(id) ?? "unknown",
    ...(context.direct.has(id) ? { direct: true } : {}),
    hashes: readChecksums(file["checksums"], `${where}.checksums`, context),
    declaredLicences: [],
    detectedLicences: [],
    cpes: [],
    occurrences: path === "" ? [] : [{ path, rule: "sbom-document" }],
    properties: [],
  };
  return { id, component, where };
}

function residueOf(written: Members, where: string): Residue {
  const comments = objects(written["annotations"], `${where}.annotations`).map((annotation, index) =>
    text(annotation["comment"], `${where}.annotations[${index}].comment`),
  );
  return residueOfAnnotations(comments);
}

function readExtracted(document: Members): ReadonlyMap<string, ExtractedLicence> {
  return new Map(
    objects(document["hasExtractedLicensingInfos"], "hasExtractedLicensingInfos").map((info, index) => {
      const where = `hasExtractedLicensingInfos[${index}]`;
      return [
        text(info["licenseId"], `${where}.licenseId`),
        {
          text: optionalText(info["extractedText"], `${where}.extractedText`) ?? "",
          ...optional("name", optionalText(info["name"], `${where}.name`)),
        },
      ];
    }),
  );
}
