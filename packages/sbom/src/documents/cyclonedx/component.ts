import { isDigest } from "@touchmark/core";
import type { Component, ComponentScope, Occurrence } from "@touchmark/formats/sbom";
import { isCpe } from "../cpe.ts";
import { isHashValue } from "../hash-value.ts";
import { isIriReference } from "../iri.ts";
import { derivedFacts, ecosystemName, packageFacts, splitName } from "../package-facts.ts";
import { componentKinds, optional } from "../record.ts";
import { residuePrefix } from "../residue.ts";
import { list, type Members, members, objects, optionalMembers, optionalText, text } from "../shape.ts";
import type { CycloneContext } from "./context.ts";
import { algorithmOfCyclone, cycloneAlgorithm } from "./hashes.ts";
import { cycloneLicences, licencesOfCyclone } from "./licences.ts";
import { sourceOfProperties } from "./source-package.ts";

const scopeOf: Readonly<Record<ComponentScope, string | undefined>> = {
  runtime: "required",
  optional: "optional",
  development: "excluded",
  build: "excluded",
  unknown: undefined,
};

/** A component as CycloneDX has it, without what it has no member for. */
export function writeCycloneComponent(component: Component): Members {
  const { group, name } = splitName(component.type, component.name);
  const declared = cycloneLicences(component.declaredLicences, "declared");
  const evidence = writeEvidence(component);
  const hashes = component.hashes.flatMap((hash) => {
    const alg = cycloneAlgorithm(hash.algorithm);
    return alg === undefined || !isHashValue(hash) ? [] : [{ alg, content: hash.value }];
  });
  const references = [
    ["website", component.homepage],
    ["distribution", component.downloadLocation],
  ].flatMap(([type, url]) => (url === undefined || !isIriReference(url) ? [] : [{ type, url }]));
  const properties = component.properties.filter((property) => !property.name.startsWith(residuePrefix));
  const cpe = component.cpes.find(isCpe);
  return {
    type: component.kind,
    "bom-ref": component.ref,
    ...optional("supplier", component.supplier === undefined ? undefined : { name: component.supplier }),
    ...optional("group", group),
    name,
    ...(component.version === "" ? {} : { version: component.version }),
    ...optional("description", component.description),
    ...optional("scope", scopeOf[component.scope]),
    ...(hashes.length === 0 ? {} : { hashes }),
    ...(declared.length === 0 ? {} : { licenses: declared }),
    ...optional("cpe", cpe),
    ...optional("purl", component.purl),
    ...(references.length === 0 ? {} : { externalReferences: references }),
    ...(properties.length === 0 ? {} : { properties: properties.map(({ name, value }) => ({ name, value })) }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** Reads what `writeCycloneComponent` writes, and what others write in those members. */
export function readCycloneComponent(written: Members, where: string, context: CycloneContext): Component {
  const purlText = optionalText(written["purl"], `${where}.purl`);
  const facts =
    purlText === undefined || purlText === "" ? undefined : packageFacts(purlText, `${where}.purl`, context.report);
  const type = facts?.parts.type ?? "generic";
  const evidence = optionalMembers(written["evidence"], `${where}.evidence`) ?? {};
  const id = optionalText(written["bom-ref"], `${where}.bom-ref`);
  const name = ecosystemName(
    facts,
    optionalText(written["group"], `${where}.group`),
    text(written["name"], `${where}.name`),
  );
  const version = optionalText(written["version"], `${where}.version`) ?? "";
  const properties = readProperties(written["properties"], `${where}.properties`).filter(
    (property) => !property.name.startsWith(residuePrefix),
  );
  return {
    ref: id === undefined || id === "" ? (facts?.purl ?? `${name}@${version}`) : id,
    kind: readKind(written["type"], `${where}.type`, context),
    name,
    version,
    ...optional("purl", facts?.purl),
    type,
    scope: readScope(written["scope"], `${where}.scope`, context),
    ...(id !== undefined && context.direct.has(id) ? { direct: true } : {}),
    ...optional("sourcePackage", sourceOfProperties(properties)),
    ...derivedFacts(facts, context.distribution),
    hashes: readHashes(written["hashes"], `${where}.hashes`, context),
    declaredLicences: licencesOfCyclone(written["licenses"], `${where}.licenses`),
    detectedLicences: licencesOfCyclone(evidence["licenses"], `${where}.evidence.licenses`),
    ...optional("supplier", readSupplier(written, where)),
    ...optional("description", optionalText(written["description"], `${where}.description`)),
    ...readReferences(written["externalReferences"], `${where}.externalReferences`),
    cpes: readCpes(written["cpe"], `${where}.cpe`),
    occurrences: objects(evidence["occurrences"], `${where}.evidence.occurrences`).map((occurrence, index) =>
      readOccurrence(occurrence, `${where}.evidence.occurrences[${index}]`),
    ),
    properties,
  };
}

/** Properties of a component or of metadata; one without a value has an empty one. */
export function readProperties(value: unknown, where: string): readonly { name: string; value: string }[] {
  return objects(value, where).map((property, index) => ({
    name: optionalText(property["name"], `${where}[${index}].name`) ?? "",
    value: optionalText(property["value"], `${where}[${index}].value`) ?? "",
  }));
}

function readKind(value: unknown, where: string, context: CycloneContext): Component["kind"] {
  const written = text(value, where);
  const kind = componentKinds.find((candidate) => candidate === written);
  if (kind === undefined) {
    context.report.problem(
      "SBOM_DOCUMENT_VALUE_INVALID",
      where,
      `${JSON.stringify(written.slice(0, 60))} is no kind of component`,
    );
  }
  return kind ?? "library";
}

function readScope(value: unknown, where: string, context: CycloneContext): ComponentScope {
  const written = optionalText(value, where);
  switch (written) {
    case undefined:
      return "unknown";
    case "required":
      return "runtime";
    case "optional":
      return "optional";
    case "excluded":
      return "development";
    default:
      context.report.problem(
        "SBOM_DOCUMENT_VALUE_INVALID",
        where,
        `${JSON.stringify(written.slice(0, 60))} is no scope`,
      );
      return "unknown";
  }
}

function readHashes(value: unknown, where: string, { report }: CycloneContext): Component["hashes"] {
  return objects(value, where).flatMap((hash, index) => {
    const at = `${where}[${index}]`;
    const name = text(hash["alg"], `${at}.alg`);
    const algorithm = algorithmOfCyclone(name);
    if (algorithm === undefined) {
      report.loss(`hashes of ${name.slice(0, 40)}`);
      return [];
    }
    const read = { algorithm, value: text(hash["content"], `${at}.content`).toLowerCase() };
    if (isHashValue(read)) return [read];
    report.problem("SBOM_DOCUMENT_VALUE_INVALID", at, `${name} is not ${JSON.stringify(read.value.slice(0, 80))}`);
    return [];
  });
}

/** Who supplies it; else who publishes, makes or wrote it. */
function readSupplier(written: Members, where: string): string | undefined {
  const supplier = optionalMembers(written["supplier"], `${where}.supplier`);
  const manufacturer = optionalMembers(written["manufacturer"], `${where}.manufacturer`);
  const authors = list(written["authors"], `${where}.authors`);
  const author = authors.length === 0 ? undefined : members(authors[0], `${where}.authors[0]`);
  return [
    optionalText(supplier?.["name"], `${where}.supplier.name`),
    optionalText(written["publisher"], `${where}.publisher`),
    optionalText(manufacturer?.["name"], `${where}.manufacturer.name`),
    optionalText(written["author"], `${where}.author`),
    optionalText(author?.["name"], `${where}.authors[0].name`),
  ].find((name) => name !== undefined && name !== "");
}

function readReferences(value: unknown, where: string): Pick<Component, "homepage" | "downloadLocation"> {
  const references = objects(value, where);
  const urlOf = (type: string): string | undefined => {
    const index = references.findIndex((reference) => reference["type"] === type);
    return index < 0 ? undefined : text(references[index]?.["url"], `${where}[${index}].url`);
  };
  return { ...optional("homepage", urlOf("website")), ...optional("downloadLocation", urlOf("distribution")) };
}

function readCpes(value: unknown, where: string): readonly string[] {
  const cpe = optionalText(value, where);
  return cpe === undefined || cpe === "" ? [] : [cpe];
}

const contextSyntax = /^rule ([^;\s]+)(?:; layer (sha256:[0-9a-f]{64}))?$/;

function writeEvidence(component: Component): Members | undefined {
  const licences = cycloneLicences(component.detectedLicences);
  const occurrences = component.occurrences
    .filter(({ path }) => path !== "")
    .map(({ path, rule, layer, line }) => ({
      location: path,
      ...optional("line", line),
      additionalContext: `rule ${rule}${layer === undefined ? "" : `; layer ${layer}`}`,
    }));
  if (licences.length + occurrences.length === 0) return undefined;
  return {
    ...(occurrences.length === 0 ? {} : { occurrences }),
    ...(licences.length === 0 ? {} : { licenses: licences }),
  };
}

function readOccurrence(written: Members, where: string): Occurrence {
  const line = written["line"];
  const context = optionalText(written["additionalContext"], `${where}.additionalContext`) ?? "";
  const [, rule = "", layer] = contextSyntax.exec(context) ?? [];
  return {
    path: text(written["location"], `${where}.location`).replace(/^\/+/, ""),
    ...(layer !== undefined && isDigest(layer) ? { layer } : {}),
    rule: rule === "" ? "sbom-document" : rule,
    ...(typeof line === "number" && Number.isSafeInteger(line) && line >= 0 ? { line } : {}),
  };
}
