import { findLicence, findLicenceException } from "@touchmark/formats/licences";
import { isMoment } from "../moment.ts";
import type { DocumentReport } from "../problems.ts";
import { list, type Members, objects, optionalMembers } from "../shape.ts";

const serialSyntax = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const algorithms: ReadonlySet<unknown> = new Set([
  ...["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512"],
  ...["BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512", "BLAKE3", "Streebog-256", "Streebog-512"],
]);
const encodings: ReadonlySet<unknown> = new Set([undefined, "base64"]);

/** Members of a document that its format does not allow so; none of them changes what the document lists. */
export function checkCycloneDocument(document: Members, report: DocumentReport): void {
  const { serialNumber, version } = document;
  if (serialNumber !== undefined && !serialSyntax.test(textOr(serialNumber))) {
    report.defect("serialNumber", "expected urn:uuid: and a UUID");
  }
  if (version !== undefined && !(Number.isSafeInteger(version) && Number(version) > 0)) {
    report.defect("version", "expected a whole number from 1");
  }
  const metadata = optionalMembers(document["metadata"], "metadata") ?? {};
  const { timestamp } = metadata;
  if (timestamp !== undefined && !isMoment(textOr(timestamp))) {
    report.defect("metadata.timestamp", `expected a date and time of RFC 3339, found ${shown(timestamp)}`);
  }
  checkLicences(metadata["licenses"], "metadata.licenses", document["specVersion"] === "1.7", report);
}

/** The same of one component; from 1.7 on expressions and licences may stand beside each other. */
export function checkCycloneComponent(
  component: Members,
  where: string,
  version: string,
  report: DocumentReport,
): void {
  for (const [index, hash] of objects(component["hashes"], `${where}.hashes`).entries()) {
    if (!algorithms.has(hash["alg"]))
      report.defect(`${where}.hashes[${index}].alg`, `no algorithm: ${shown(hash["alg"])}`);
  }
  checkLicences(component["licenses"], `${where}.licenses`, version === "1.7", report);
  for (const [index, property] of objects(component["properties"], `${where}.properties`).entries()) {
    if (property["name"] === undefined) report.defect(`${where}.properties[${index}]`, "expected a name");
  }
  const swid = optionalMembers(component["swid"], `${where}.swid`);
  if (swid !== undefined && (swid["tagId"] === undefined || swid["name"] === undefined)) {
    report.defect(`${where}.swid`, "expected tagId and name");
  }
}

/** Identifiers of services, nested ones too: relations may name them. */
export function servicesOf(document: Members): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...objects(document["services"], "services")];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const id = next["bom-ref"];
    if (typeof id === "string") found.add(id);
    waiting.push(...objects(next["services"], "services.services"));
  }
  return found;
}

function checkLicences(value: unknown, where: string, mayMix: boolean, report: DocumentReport): void {
  const choices = list(value, where);
  const expressions = choices.filter((choice) => isObject(choice) && choice["expression"] !== undefined);
  if (expressions.length > 0 && choices.length > 1 && !mayMix) {
    report.defect(where, "expected one expression, or licences by name");
  }
  for (const [index, choice] of choices.entries()) {
    const at = `${where}[${index}]`;
    if (!isObject(choice)) continue;
    const { license, expression } = choice;
    if (expression !== undefined) {
      if (license !== undefined) report.defect(at, "expected an expression or a licence, found both");
      continue;
    }
    const { id, name, text } = isObject(license) ? license : {};
    if ((id === undefined) === (name === undefined)) report.defect(at, "expected an id or a name");
    if (id !== undefined && findLicence(textOr(id))?.id !== id && findLicenceException(textOr(id)) === undefined) {
      report.defect(`${at}.license.id`, `${shown(id)} is not on the list of SPDX`);
    }
    if (isObject(text) && !encodings.has(text["encoding"])) {
      report.defect(`${at}.license.text.encoding`, `expected base64, found ${shown(text["encoding"])}`);
    }
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text, or nothing for what is none. */
function textOr(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
