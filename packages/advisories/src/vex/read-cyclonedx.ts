import { type JsonObject, listOf, objectOf, oneOfText, optionalText, textOf, timeOf } from "./members.ts";
import type { VexDocument, VexJustification, VexStatement, VexStatus } from "./statement.ts";

/** States of an analysis (CycloneDX 1.6, `vulnerabilities[].analysis.state`) as labels of VEX. */
const states = {
  resolved: "fixed",
  resolved_with_pedigree: "fixed",
  exploitable: "affected",
  in_triage: "under_investigation",
  false_positive: "not_affected",
  not_affected: "not_affected",
} as const satisfies Readonly<Record<string, VexStatus>>;

/** Justifications of CycloneDX in the words of OpenVEX (CISA's table of status justifications). */
const justifications: Readonly<Record<string, VexJustification>> = {
  code_not_present: "vulnerable_code_not_present",
  code_not_reachable: "vulnerable_code_not_in_execute_path",
  requires_configuration: "vulnerable_code_cannot_be_controlled_by_adversary",
  requires_dependency: "component_not_present",
  requires_environment: "vulnerable_code_cannot_be_controlled_by_adversary",
  protected_by_compiler: "inline_mitigations_already_exist",
  protected_at_runtime: "inline_mitigations_already_exist",
  protected_at_perimeter: "inline_mitigations_already_exist",
  protected_by_mitigating_control: "inline_mitigations_already_exist",
};

/** The analyses in a CycloneDX document, beside an SBOM or alone (`urn:cdx:` references). @throws VEX_MALFORMED */
export function readCycloneDxVex(document: JsonObject): Omit<VexDocument, "digest"> {
  const metadata = objectOf(document["metadata"] ?? {}, "metadata");
  const documentAt =
    metadata["timestamp"] === undefined
      ? new Date(0).toISOString()
      : timeOf(metadata["timestamp"], "metadata.timestamp");
  const names = namesOf(document, metadata);
  const losses: string[] = [];
  const statements = listOf(document["vulnerabilities"], "vulnerabilities").flatMap((each): VexStatement[] => {
    const vulnerability = objectOf(each, "a vulnerability");
    const id = textOf(vulnerability["id"], "a vulnerability's id");
    if (vulnerability["analysis"] === undefined) {
      losses.push(`${id}: nothing was analysed`);
      return [];
    }
    const analysis = objectOf(vulnerability["analysis"], "analysis");
    const state = oneOfText(analysis["state"], Object.keys(states) as (keyof typeof states)[], "a state");
    const word = optionalText(analysis["justification"], "a justification");
    const justification = word !== undefined && Object.hasOwn(justifications, word) ? justifications[word] : undefined;
    const detail =
      optionalText(analysis["detail"], "a detail") ?? optionalText(vulnerability["recommendation"], "a recommendation");
    const changed = analysis["lastUpdated"] ?? analysis["firstIssued"];
    const references = listOf(vulnerability["references"], "references").flatMap((row) => {
      const other = objectOf(row, "a reference")["id"];
      return other === undefined ? [] : [textOf(other, "an alias")];
    });
    return [
      {
        vulnerability: [...new Set([id, ...references])],
        products: listOf(vulnerability["affects"], "affects").map((row) => {
          const ref = textOf(objectOf(row, "an affected component")["ref"], "a reference");
          return { ids: [...new Set([ref, ...(names.get(ref) ?? [])])], subcomponents: [] };
        }),
        status: states[state],
        at: changed === undefined ? documentAt : timeOf(changed, "the time of an analysis"),
        ...(justification === undefined ? {} : { justification }),
        ...(detail !== undefined ? { detail } : state === "false_positive" ? { detail: "false positive" } : {}),
      },
    ];
  });
  return {
    format: "cyclonedx",
    id: optionalText(document["serialNumber"], "the serial number") ?? "a CycloneDX document",
    author: authorOf(metadata),
    statements,
    losses,
  };
}

function authorOf(metadata: JsonObject): string {
  for (const each of listOf(metadata["authors"], "authors")) {
    const name = optionalText(objectOf(each, "an author")["name"], "a name");
    if (name !== undefined) return name;
  }
  const maker = metadata["supplier"] ?? metadata["manufacturer"] ?? metadata["manufacture"];
  const name = maker === undefined ? undefined : optionalText(objectOf(maker, "a supplier")["name"], "a name");
  return name ?? "nobody who is named";
}

/** Package URLs of the components of the document, by their refs; nested ones too. */
function namesOf(document: JsonObject, metadata: JsonObject): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const open: unknown[] = [
    ...listOf(document["components"], "components"),
    ...(metadata["component"] === undefined ? [] : [metadata["component"]]),
  ];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    const { "bom-ref": ref, purl, components } = objectOf(each, "a component");
    if (typeof ref === "string" && typeof purl === "string") found.set(ref, [purl]);
    open.push(...listOf(components, "components"));
  }
  return found;
}
