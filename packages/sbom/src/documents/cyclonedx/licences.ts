import { findLicence } from "@touchmark/formats/licences";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { normaliseDeclared } from "../../licences/index.ts";
import { type Members, objects, optionalMembers, optionalText } from "../shape.ts";

const simpleId = /^[A-Za-z0-9][A-Za-z0-9.+-]*$/;

/**
 * Licences as CycloneDX 1.6 has them (`licenseChoice`): several named ones, or one expression. An expression stands as
 * one when it is alone; beside others it is written as a name.
 */
export function cycloneLicences(facts: readonly LicenceFact[], acknowledgement?: "declared"): readonly Members[] {
  const said = acknowledgement === undefined ? {} : { acknowledgement };
  const [first] = facts;
  if (facts.length === 1 && first?.expression !== undefined && !isListed(first.expression))
    return [{ expression: first.expression, ...said }];
  return facts
    .map((fact) => fact.expression ?? fact.text ?? "")
    .filter((name) => name !== "")
    .map((name) => ({ license: { ...(isListed(name) ? { id: name } : { name }), ...said } }));
}

/** Licences of a component or of its evidence. */
export function licencesOfCyclone(written: unknown, where: string): readonly LicenceFact[] {
  return objects(written, where).flatMap((choice, index): readonly LicenceFact[] => {
    const at = `${where}[${index}]`;
    const expression = optionalText(choice["expression"], `${at}.expression`);
    if (expression !== undefined && expression !== "") return [factOf(expression)];
    const licence = optionalMembers(choice["license"], `${at}.license`) ?? {};
    const id = optionalText(licence["id"], `${at}.license.id`);
    const name = id ?? optionalText(licence["name"], `${at}.license.name`);
    return name === undefined || name === "" ? [] : [id === undefined ? normaliseDeclared(name) : factOf(id)];
  });
}

/** True for the one spelling of an identifier of SPDX's list, as the schema of CycloneDX wants it. */
function isListed(name: string): boolean {
  return findLicence(name)?.id === name;
}

function factOf(written: string): LicenceFact {
  const fact = normaliseDeclared(written);
  return fact.expression === undefined && simpleId.test(written) ? { expression: written, confidence: 1 } : fact;
}
