import type { Component, ComponentHash } from "@touchmark/formats/sbom";
import { isCpe } from "../cpe.ts";
import { isHashValue } from "../hash-value.ts";
import { isAbsoluteUri } from "../iri.ts";
import { factOfSpdx, spdxLicence } from "../licences.ts";
import { derivedFacts, ecosystemName, packageFacts } from "../package-facts.ts";
import { optional } from "../record.ts";
import { residuePrefix } from "../residue.ts";
import { list, type Members, objects, optionalText, text } from "../shape.ts";
import type { GraphContext, WrittenElement } from "./context.ts";

const purposes: ReadonlyMap<Component["kind"], string> = new Map([
  ["application", "application"],
  ["framework", "framework"],
  ["library", "library"],
  ["container", "container"],
  ["platform", "platform"],
  ["operating-system", "operatingSystem"],
  ["device", "device"],
  ["device-driver", "deviceDriver"],
  ["firmware", "firmware"],
  ["file", "file"],
  ["machine-learning-model", "model"],
  ["data", "data"],
] as const);
const kinds = new Map([...purposes].map(([kind, purpose]) => [purpose, kind]));

const algorithms: ReadonlyMap<ComponentHash["algorithm"], string> = new Map([
  ["md5", "md5"],
  ["sha1", "sha1"],
  ["sha224", "sha224"],
  ["sha256", "sha256"],
  ["sha384", "sha384"],
  ["sha512", "sha512"],
  ["blake2b-256", "blake2b256"],
  ["blake3", "blake3"],
] as const);
const algorithmsByName = new Map([...algorithms].map(([algorithm, name]) => [name, algorithm]));

/** A component as SPDX 3.0.1 has it, without what it has no property for. */
export function writeGraphPackage(component: Component, id: string, creation: string): WrittenElement {
  const { expression, extracted } = spdxLicence(component.declaredLicences);
  const hashes = component.hashes.flatMap((hash) => {
    const algorithm = algorithms.get(hash.algorithm);
    return algorithm === undefined || !isHashValue(hash) ? [] : [{ type: "Hash", algorithm, hashValue: hash.value }];
  });
  const cpes = component.cpes.filter(isCpe).map((identifier) => ({
    type: "ExternalIdentifier",
    externalIdentifierType: "cpe23",
    identifier,
  }));
  const { downloadLocation, homepage } = component;
  const properties = component.properties.filter(({ name }) => !name.startsWith(residuePrefix));
  return {
    element: {
      type: "software_Package",
      spdxId: id,
      creationInfo: creation,
      name: component.name === "" ? "NOASSERTION" : component.name,
      ...optional("description", component.description),
      ...(cpes.length === 0 ? {} : { externalIdentifier: cpes }),
      ...(hashes.length === 0 ? {} : { verifiedUsing: hashes }),
      ...(component.version === "" ? {} : { software_packageVersion: component.version }),
      ...optional("software_packageUrl", component.purl),
      ...(downloadLocation !== undefined && isAbsoluteUri(downloadLocation)
        ? { software_downloadLocation: downloadLocation }
        : {}),
      ...(homepage !== undefined && isAbsoluteUri(homepage) ? { software_homePage: homepage } : {}),
      software_primaryPurpose: purposes.get(component.kind) ?? "other",
      ...propertiesExtension(properties),
    },
    supplier: component.supplier,
    declared: expression === undefined ? [] : [expression],
    concluded: [],
    extracted,
  };
}

/** Reads what `writeGraphPackage` writes, and what others write in those properties. */
export function readGraphPackage(written: WrittenElement, where: string, context: GraphContext): Component {
  const { element, extracted } = written;
  const id = text(element["spdxId"], `${where}.spdxId`);
  const identifiers = objects(element["externalIdentifier"], `${where}.externalIdentifier`);
  const locator = purlOfElement(element, where);
  const facts =
    locator === undefined ? undefined : packageFacts(locator, `${where}.software_packageUrl`, context.report);
  const ref = context.refs.get(id) ?? id;
  const purpose = optionalText(element["software_primaryPurpose"], `${where}.software_primaryPurpose`);
  const { downloadLocation, homepage } = {
    downloadLocation: optionalText(element["software_downloadLocation"], `${where}.software_downloadLocation`),
    homepage: optionalText(element["software_homePage"], `${where}.software_homePage`),
  };
  return {
    ref: ref === locator ? (facts?.purl ?? id) : ref,
    kind: kindOf(element, purpose),
    name: ecosystemName(facts, undefined, optionalText(element["name"], `${where}.name`) ?? ""),
    version: optionalText(element["software_packageVersion"], `${where}.software_packageVersion`) ?? "",
    ...optional("purl", facts?.purl),
    type: facts?.parts.type ?? "generic",
    scope: context.scopes.get(id) ?? "unknown",
    ...(context.direct.has(id) ? { direct: true } : {}),
    ...derivedFacts(facts, context.distribution),
    hashes: readHashes(element["verifiedUsing"], `${where}.verifiedUsing`, context),
    declaredLicences: written.declared.flatMap((each) => factOfSpdx(each, extracted)),
    detectedLicences: written.concluded
      .filter((each) => !written.declared.includes(each))
      .flatMap((each) => factOfSpdx(each, extracted)),
    ...optional("supplier", written.supplier),
    ...optional("description", optionalText(element["description"], `${where}.description`)),
    ...optional("homepage", homepage),
    ...optional("downloadLocation", downloadLocation),
    cpes: identifiers
      .filter((each) => each["externalIdentifierType"] === "cpe23")
      .map((each) => text(each["identifier"], `${where}.externalIdentifier.identifier`)),
    occurrences: [],
    properties: extensionProperties(element, where).filter(({ name }) => !name.startsWith(residuePrefix)),
  };
}

/** The package URL of an element, as written. */
export function purlOfElement(element: Members, where: string): string | undefined {
  const own = optionalText(element["software_packageUrl"], `${where}.software_packageUrl`);
  if (own !== undefined && own !== "") return own;
  const found = objects(element["externalIdentifier"], `${where}.externalIdentifier`).find((each) =>
    ["packageUrl", "purl"].includes(String(each["externalIdentifierType"])),
  );
  return optionalText(found?.["identifier"], `${where}.externalIdentifier.identifier`);
}

/** Properties as an extension: SPDX 3.0.1 has one for those of CycloneDX. */
export function propertiesExtension(properties: readonly { readonly name: string; readonly value: string }[]): Members {
  if (properties.length === 0) return {};
  const entries = properties.map(({ name, value }) => ({
    type: "extension_CdxPropertyEntry",
    extension_cdxPropName: name,
    extension_cdxPropValue: value,
  }));
  return { extension: [{ type: "extension_CdxPropertiesExtension", extension_cdxProperty: entries }] };
}

/** Properties of such extensions of an element. */
export function extensionProperties(element: Members, where: string): readonly { name: string; value: string }[] {
  return objects(element["extension"], `${where}.extension`).flatMap((extension) =>
    objects(extension["extension_cdxProperty"], `${where}.extension.extension_cdxProperty`).map((property) => ({
      name: optionalText(property["extension_cdxPropName"], `${where}.extension_cdxPropName`) ?? "",
      value: optionalText(property["extension_cdxPropValue"], `${where}.extension_cdxPropValue`) ?? "",
    })),
  );
}

function kindOf(element: Members, purpose: string | undefined): Component["kind"] {
  if (element["type"] === "software_File") return "file";
  if (element["type"] === "ai_AIPackage") return "machine-learning-model";
  if (element["type"] === "dataset_DatasetPackage") return "data";
  return kinds.get(purpose ?? "") ?? "library";
}

function readHashes(value: unknown, where: string, { report }: GraphContext): Component["hashes"] {
  return list(value, where).flatMap((each, index) => {
    if (typeof each !== "object" || each === null || (each as Members)["type"] !== "Hash") return [];
    const at = `${where}[${index}]`;
    const name = text((each as Members)["algorithm"], `${at}.algorithm`);
    const algorithm = algorithmsByName.get(name);
    if (algorithm === undefined) {
      report.loss(`hashes of ${name.slice(0, 40)}`);
      return [];
    }
    const hash = { algorithm, value: text((each as Members)["hashValue"], `${at}.hashValue`).toLowerCase() };
    if (isHashValue(hash)) return [hash];
    report.problem("SBOM_DOCUMENT_VALUE_INVALID", at, `${name} is not ${JSON.stringify(hash.value.slice(0, 80))}`);
    return [];
  });
}
