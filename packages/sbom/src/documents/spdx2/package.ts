import { sha256 } from "@touchmark/core";
import type { Component, ComponentHash } from "@touchmark/formats/sbom";
import { isCpe } from "../cpe.ts";
import { isHashValue } from "../hash-value.ts";
import { isAbsoluteUri } from "../iri.ts";
import { factOfSpdx, spdxLicence } from "../licences.ts";
import { derivedFacts, ecosystemName, packageFacts } from "../package-facts.ts";
import { optional } from "../record.ts";
import { type Members, objects, optionalText, text } from "../shape.ts";
import type { SpdxContext, WrittenPackage } from "./context.ts";

const purposes: ReadonlyMap<Component["kind"], string> = new Map([
  ["application", "APPLICATION"],
  ["framework", "FRAMEWORK"],
  ["library", "LIBRARY"],
  ["container", "CONTAINER"],
  ["operating-system", "OPERATING_SYSTEM"],
  ["device", "DEVICE"],
  ["firmware", "FIRMWARE"],
  ["file", "FILE"],
] as const);
const kinds = new Map([...purposes].map(([kind, purpose]) => [purpose, kind]));

const algorithms: ReadonlyMap<ComponentHash["algorithm"], string> = new Map([
  ["md5", "MD5"],
  ["sha1", "SHA1"],
  ["sha224", "SHA224"],
  ["sha256", "SHA256"],
  ["sha384", "SHA384"],
  ["sha512", "SHA512"],
  ["blake2b-256", "BLAKE2b-256"],
  ["blake3", "BLAKE3"],
] as const);
const algorithmsByName = new Map([...algorithms].map(([algorithm, name]) => [name.toUpperCase(), algorithm]));

/** Identifier of a component, made of its ref: `SPDXRef-Package-TYPE-NAME-DIGEST`. */
export function spdxIdentifier({ ref, type, name }: Component): string {
  const words = `${type}-${name}`.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 100);
  return `SPDXRef-Package-${words.replace(/^-+|-+$/g, "")}-${sha256(ref).slice("sha256:".length, "sha256:".length + 24)}`;
}

/** A component as SPDX 2.3 has it, without what it has no field for. */
export function writeSpdxPackage(component: Component, id: string): WrittenPackage {
  const { expression, extracted } = spdxLicence(component.declaredLicences);
  const checksums = component.hashes.flatMap((hash) => {
    const algorithm = algorithms.get(hash.algorithm);
    return algorithm === undefined || !isHashValue(hash) ? [] : [{ algorithm, checksumValue: hash.value }];
  });
  const references = [
    ...(component.purl === undefined ? [] : [reference("PACKAGE-MANAGER", "purl", component.purl)]),
    ...component.cpes.filter(isCpe).map((cpe) => reference("SECURITY", "cpe23Type", cpe)),
  ];
  const { downloadLocation, homepage } = component;
  return {
    package: {
      name: component.name === "" ? "NOASSERTION" : component.name,
      SPDXID: id,
      ...(component.version === "" ? {} : { versionInfo: component.version }),
      ...optional("supplier", component.supplier === undefined ? undefined : `Organization: ${component.supplier}`),
      downloadLocation:
        downloadLocation !== undefined && isAbsoluteUri(downloadLocation) ? downloadLocation : "NOASSERTION",
      filesAnalyzed: false,
      ...(homepage !== undefined && isAbsoluteUri(homepage) ? { homepage } : {}),
      ...(checksums.length === 0 ? {} : { checksums }),
      licenseConcluded: "NOASSERTION",
      licenseDeclared: expression ?? "NOASSERTION",
      copyrightText: "NOASSERTION",
      ...optional("description", component.description),
      ...(references.length === 0 ? {} : { externalRefs: references }),
      primaryPackagePurpose: purposes.get(component.kind) ?? "OTHER",
    },
    extracted,
  };
}

/** Reads what `writeSpdxPackage` writes, and what others write in those fields. */
export function readSpdxPackage(
  { package: written, extracted }: WrittenPackage,
  where: string,
  context: SpdxContext,
): Component {
  const id = text(written["SPDXID"], `${where}.SPDXID`);
  const references = objects(written["externalRefs"], `${where}.externalRefs`);
  const locator = purlOf(written, where);
  const facts = locator === undefined ? undefined : packageFacts(locator, `${where}.externalRefs`, context.report);
  const type = facts?.parts.type ?? "generic";
  const name = text(written["name"], `${where}.name`);
  const declared = optionalText(written["licenseDeclared"], `${where}.licenseDeclared`);
  const concluded = optionalText(written["licenseConcluded"], `${where}.licenseConcluded`);
  const ref = context.refs.get(id) ?? id;
  return {
    ref: ref === locator ? (facts?.purl ?? id) : ref,
    kind:
      kinds.get(
        optionalText(written["primaryPackagePurpose"], `${where}.primaryPackagePurpose`)?.replace("-", "_") ?? "",
      ) ?? "library",
    name: ecosystemName(facts, undefined, name),
    version: optionalText(written["versionInfo"], `${where}.versionInfo`) ?? "",
    ...optional("purl", facts?.purl),
    type,
    scope: context.scopes.get(id) ?? "unknown",
    ...(context.direct.has(id) ? { direct: true } : {}),
    ...derivedFacts(facts, context.distribution),
    hashes: readChecksums(written["checksums"], `${where}.checksums`, context),
    declaredLicences: factOfSpdx(declared, extracted),
    detectedLicences: concluded === declared ? [] : factOfSpdx(concluded, extracted),
    ...optional("supplier", readAgent(written, where)),
    ...optional("description", optionalText(written["description"], `${where}.description`)),
    ...optional("homepage", asserted(optionalText(written["homepage"], `${where}.homepage`))),
    ...optional("downloadLocation", asserted(optionalText(written["downloadLocation"], `${where}.downloadLocation`))),
    cpes: references
      .filter((each) => each["referenceType"] === "cpe23Type")
      .map((each) => text(each["referenceLocator"], `${where}.externalRefs.referenceLocator`)),
    occurrences: [],
    properties: [],
  };
}

/** The package URL among the external references, as written. */
export function purlOf(written: Members, where: string): string | undefined {
  const found = objects(written["externalRefs"], `${where}.externalRefs`).find(
    (each) => each["referenceType"] === "purl",
  );
  return optionalText(found?.["referenceLocator"], `${where}.externalRefs.referenceLocator`);
}

/** Checksums of a package or file. */
export function readChecksums(value: unknown, where: string, { report }: SpdxContext): Component["hashes"] {
  return objects(value, where).flatMap((checksum, index) => {
    const at = `${where}[${index}]`;
    const name = text(checksum["algorithm"], `${at}.algorithm`);
    const algorithm = algorithmsByName.get(name.toUpperCase());
    if (algorithm === undefined) {
      report.loss(`checksums of ${name.slice(0, 40)}`);
      return [];
    }
    const hash = { algorithm, value: text(checksum["checksumValue"], `${at}.checksumValue`).toLowerCase() };
    if (isHashValue(hash)) return [hash];
    report.problem("SBOM_DOCUMENT_VALUE_INVALID", at, `${name} is not ${JSON.stringify(hash.value.slice(0, 80))}`);
    return [];
  });
}

function reference(referenceCategory: string, referenceType: string, referenceLocator: string): Members {
  return { referenceCategory, referenceType, referenceLocator };
}

/** Who supplies it, else who made it; without the word for what they are. */
function readAgent(written: Members, where: string): string | undefined {
  return ["supplier", "originator"]
    .map((name) =>
      asserted(optionalText(written[name], `${where}.${name}`))?.replace(/^(?:Organization|Person|Tool):[ \t]*/, ""),
    )
    .find((name) => name !== undefined);
}

function asserted(value: string | undefined): string | undefined {
  return value === "NOASSERTION" || value === "NONE" || value === "" ? undefined : value;
}
