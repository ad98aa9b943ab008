import { expect, test } from "vitest";
import { readSbom } from "./read.ts";

const read = (document: unknown) =>
  readSbom(Buffer.from(typeof document === "string" ? document : JSON.stringify(document)));

test("F10: a distribution is found in an operating system among the components, and its packages belong to it", () => {
  const bash = { type: "library", "bom-ref": "bash", name: "bash", version: "5.2", purl: "pkg:deb/debian/bash@5.2" };
  const source = [
    ["SrcName", "bash-src"],
    ["SrcEpoch", "1"],
    ["SrcVersion", "5.2"],
    ["SrcRelease", "15"],
  ].map(([name, value]) => ({ name: `aquasecurity:trivy:${name}`, value }));
  const { sbom } = read({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: { component: { type: "container", "bom-ref": "image", name: "image" } },
    components: [
      { type: "operating-system", "bom-ref": "os", name: "debian", version: "12.5" },
      { ...bash, properties: source },
    ],
  });
  expect(sbom.distribution).toEqual({ id: "debian", version: "12.5" });
  expect(sbom.subject.kind).toBe("image");
  expect(sbom.components.find(({ name }) => name === "bash")).toMatchObject({
    distribution: { id: "debian", version: "12.5" },
    sourcePackage: { name: "bash-src", version: "1:5.2-15" },
  });
});

test("F10: package URLs tell source package, distribution and architecture", () => {
  const purl = "pkg:rpm/redhat/zlib@1.2-3.el9?arch=x86_64&distro=rhel-9.4&upstream=zlib-1.2-3.el9.src.rpm";
  const { sbom } = read({
    spdxVersion: "SPDX-2.3",
    SPDXID: "SPDXRef-DOCUMENT",
    name: "image",
    packages: [
      {
        SPDXID: "SPDXRef-a",
        name: "zlib",
        versionInfo: "1.2-3.el9",
        externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
      },
      { SPDXID: "SPDXRef-dev", name: "tool", licenseDeclared: "LicenseRef-own" },
    ],
    hasExtractedLicensingInfos: [{ licenseId: "LicenseRef-own", extractedText: "do what you like", name: "Own" }],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-a" },
      { spdxElementId: "SPDXRef-dev", relationshipType: "DEV_DEPENDENCY_OF", relatedSpdxElement: "SPDXRef-a" },
      { spdxElementId: "SPDXRef-a", relationshipType: "CONTAINS", relatedSpdxElement: "SPDXRef-dev" },
      { spdxElementId: "SPDXRef-dev", relationshipType: "DEPENDS_ON", relatedSpdxElement: "NONE" },
    ],
  });
  const [tool, zlib] = sbom.components;
  expect(zlib).toMatchObject({
    sourcePackage: { name: "zlib", version: "1.2-3.el9" },
    distribution: { id: "rhel", version: "9.4" },
    architecture: "x86_64",
  });
  expect(tool).toMatchObject({
    scope: "development",
    direct: true,
    declaredLicences: [{ expression: "LicenseRef-own", text: "Own" }],
  });
  expect(sbom.dependencies).toEqual([
    { from: "SPDXRef-dev", to: [] },
    { from: zlib?.ref, to: ["SPDXRef-dev"] },
  ]);
});

test("F10: SPDX 3 of others: inline creation information, listed licences, optional dependencies", () => {
  const space = "https://acme.example/doc#";
  const creationInfo = { type: "CreationInfo", specVersion: "3.0.1", created: "2026-01-01T00:00:00Z", createdBy: [] };
  const relation = (from: string, relationshipType: string, to: string, more: object = {}) => ({
    type: "Relationship",
    spdxId: `${space}${from}-${relationshipType}`,
    creationInfo,
    from: `${space}${from}`,
    relationshipType,
    to: [to],
    ...more,
  });
  const { sbom, format } = read({
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
      { type: "SpdxDocument", spdxId: `${space}doc`, creationInfo, rootElement: [`${space}bom`] },
      { type: "software_Sbom", spdxId: `${space}bom`, creationInfo, rootElement: [`${space}app`] },
      { type: "software_Package", spdxId: `${space}app`, creationInfo, name: "app" },
      { type: "software_Package", spdxId: `${space}lib`, creationInfo, name: "lib" },
      relation("app", "hasOptionalDependency", `${space}lib`),
      relation("lib", "hasDeclaredLicense", "https://spdx.org/licenses/MIT"),
    ],
  });
  expect(format).toBe("SPDX 3.0.1 JSON-LD");
  expect(sbom).toMatchObject({ root: `${space}app`, created: "2026-01-01T00:00:00Z" });
  expect(sbom.components.find(({ name }) => name === "lib")).toMatchObject({
    scope: "optional",
    declaredLicences: [{ expression: "MIT" }],
  });
});
