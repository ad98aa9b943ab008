import type { Members } from "../shape.ts";

/** The members of an SPDX 2.3 document as tag-value text (SPDX 2.3, clause 6 and after). */
export function tagValueText(document: Members): string {
  const creation = document["creationInfo"] as Members;
  const lines = [
    tag("SPDXVersion", document["spdxVersion"]),
    tag("DataLicense", document["dataLicense"]),
    tag("SPDXID", document["SPDXID"]),
    tag("DocumentName", document["name"]),
    tag("DocumentNamespace", document["documentNamespace"]),
    ...(creation["creators"] as readonly string[]).map((creator) => tag("Creator", creator)),
    tag("Created", creation["created"]),
    ...annotations(document),
    ...many(document, "packages").flatMap(packageLines),
    ...many(document, "hasExtractedLicensingInfos").flatMap((info) => [
      "",
      tag("LicenseID", info["licenseId"]),
      block("ExtractedText", info["extractedText"]),
    ]),
    "",
    ...many(document, "relationships").map((each) =>
      tag("Relationship", words(each, "spdxElementId", "relationshipType", "relatedSpdxElement")),
    ),
  ];
  return lines.join("\n");
}

function packageLines(written: Members): readonly string[] {
  const purpose = String(written["primaryPackagePurpose"]).replace("_", "-");
  return [
    "",
    tag("PackageName", written["name"]),
    tag("SPDXID", written["SPDXID"]),
    ...optional("PackageVersion", written["versionInfo"]),
    ...optional("PackageSupplier", written["supplier"]),
    tag("PackageDownloadLocation", written["downloadLocation"]),
    tag("FilesAnalyzed", written["filesAnalyzed"]),
    ...optional("PackageHomePage", written["homepage"]),
    ...many(written, "checksums").map((each) =>
      tag("PackageChecksum", `${String(each["algorithm"])}: ${String(each["checksumValue"])}`),
    ),
    tag("PackageLicenseConcluded", written["licenseConcluded"]),
    tag("PackageLicenseDeclared", written["licenseDeclared"]),
    tag("PackageCopyrightText", written["copyrightText"]),
    ...(written["description"] === undefined ? [] : [block("PackageDescription", written["description"])]),
    ...many(written, "externalRefs").map((each) =>
      tag("ExternalRef", words(each, "referenceCategory", "referenceType", "referenceLocator")),
    ),
    tag("PrimaryPackagePurpose", purpose),
    ...annotations(written),
  ];
}

function annotations(element: Members): readonly string[] {
  return many(element, "annotations").flatMap((annotation) => [
    tag("Annotator", annotation["annotator"]),
    tag("AnnotationDate", annotation["annotationDate"]),
    tag("AnnotationType", annotation["annotationType"]),
    tag("SPDXREF", element["SPDXID"]),
    block("AnnotationComment", annotation["comment"]),
  ]);
}

function many(element: Members, name: string): readonly Members[] {
  return (element[name] as readonly Members[] | undefined) ?? [];
}

function optional(name: string, value: unknown): readonly string[] {
  return value === undefined ? [] : [tag(name, value)];
}

function words(element: Members, ...names: readonly string[]): string {
  return names.map((name) => String(element[name])).join(" ");
}

function tag(name: string, value: unknown): string {
  return `${name}: ${String(value)}`;
}

function block(name: string, value: unknown): string {
  return `${name}: <text>${String(value)}</text>`;
}
