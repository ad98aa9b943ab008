import { isFactoryError, sha256 } from "@touchmark/core";
import {
  joinLicences,
  type LicenceExpression,
  licencesIn,
  licenceText,
  parseLicenceExpression,
} from "@touchmark/formats/licences";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { normaliseDeclared } from "../licences/index.ts";

/** A licence that SPDX's list does not have: what `LicenseRef-NAME` stands for. */
export interface ExtractedLicence {
  readonly text: string;
  readonly name?: string;
}

/** Identifiers of licences that have no name of the list begin so. */
const ownReference = "LicenseRef-touchmark-";

/** Licence facts as one SPDX expression: all hold. Texts that name no licence become references of ours. */
export function spdxLicence(facts: readonly LicenceFact[]): {
  readonly expression?: string;
  readonly extracted: ReadonlyMap<string, ExtractedLicence>;
} {
  const extracted = new Map<string, ExtractedLicence>();
  const parts = facts.flatMap((fact): readonly LicenceExpression[] => {
    const parsed = fact.expression === undefined ? undefined : parsedExpression(fact.expression);
    if (parsed !== undefined) return [parsed];
    const text = fact.text ?? fact.expression ?? "";
    if (text === "") return [];
    const id = `${ownReference}${sha256(text).slice("sha256:".length, "sha256:".length + 24)}`;
    extracted.set(id, { text });
    return [{ kind: "licence", id, orLater: false }];
  });
  const joined = joinLicences("and", parts);
  if (joined === undefined) return { extracted };
  for (const { id } of licencesIn(joined)) {
    if (id.startsWith("LicenseRef-") && !extracted.has(id)) extracted.set(id, { text: "NOASSERTION" });
  }
  return { expression: licenceText(joined), extracted };
}

/** The fact of such an expression, with the texts that its references stand for. */
export function factOfSpdx(
  written: string | undefined,
  extracted: ReadonlyMap<string, ExtractedLicence>,
): readonly LicenceFact[] {
  if (written === undefined || written === "" || written === "NOASSERTION" || written === "NONE") return [];
  const known = extracted.get(written);
  if (known !== undefined && written.startsWith(ownReference)) return [{ text: known.text, confidence: 1 }];
  const fact = normaliseDeclared(written);
  return known?.name === undefined ? [fact] : [{ ...fact, text: known.name }];
}

function parsedExpression(text: string): LicenceExpression | undefined {
  try {
    return parseLicenceExpression(text);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return undefined;
  }
}
