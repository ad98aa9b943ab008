import type { LicenceFinding } from "@touchmark/formats/findings";
import {
  isWorse,
  joinLicences,
  judgeLicence,
  type LicenceExpression,
  type LicencePolicy,
  licenceText,
  parseLicenceExpression,
} from "@touchmark/formats/licences";
import type { Component, ComponentKind, LicenceFact, Sbom } from "@touchmark/formats/sbom";
import { licenceReference } from "./declared.ts";
import { joinedDetection } from "./detect.ts";

/** Kinds that come without a licence of their own. */
const unlicensed: ReadonlySet<ComponentKind> = new Set([
  "operating-system",
  "file",
  "data",
  "cryptographic-asset",
  "device",
]);

/**
 * What a policy says of each component but the root, in the order of refs. Several declared licences all hold; a
 * declared one that is no licence of the list makes the whole unknown, unless the rest is denied already. Texts inside
 * the component count as `policy.detected` says.
 */
export function judgeLicences(sbom: Sbom, policy: LicencePolicy): readonly LicenceFinding[] {
  return sbom.components
    .filter(({ ref, kind }) => ref !== sbom.root && !unlicensed.has(kind))
    .map((component) => judgeComponent(component, policy));
}

/** What a policy says of one component. */
export function judgeComponent(component: Component, policy: LicencePolicy): LicenceFinding {
  const { ref, declaredLicences, detectedLicences } = component;
  const detected = detectedLicences.filter(({ confidence }) => confidence >= policy.confidence);
  if (declaredLicences.length === 0) {
    const found = judgeFacts(ref, detected, policy);
    const words = detected.length === 0 ? found.reason : `${found.reason}, by ${evidenceOf(found, detected, policy)}`;
    return { ...found, reason: words };
  }
  const declared = judgeFacts(ref, declaredLicences, policy);
  if (policy.detected === "fill" || detected.length === 0) return declared;
  const found = judgeFacts(ref, detected, policy);
  if (!isWorse(found.class, declared.class)) return declared;
  const reason = `${declared.reason}, and its texts say otherwise: ${found.reason}, by ${evidenceOf(found, detected, policy)}`;
  if (policy.detected === "judge") return { ...found, reason };
  // Texts of others may lie in a package: a person has to look, and nothing refuses by it alone.
  return declared.class === "allowed" ? { ...declared, class: "warned", reason } : declared;
}

function judgeFacts(component: string, facts: readonly LicenceFact[], policy: LicencePolicy): LicenceFinding {
  const named = facts.flatMap((fact) => expressionOf(fact, policy));
  const unnamed = facts.find((fact) => expressionOf(fact, policy).length === 0);
  const joined = joinLicences("and", named);
  const { class: judged, reason, chosen } = judgeLicence(joined, policy);
  const expression = joined === undefined ? {} : { expression: licenceText(joined) };
  if (unnamed !== undefined && (joined === undefined || isWorse(policy.missing, judged))) {
    return { component, ...expression, class: policy.missing, reason: unnamedWords(unnamed) };
  }
  return { component, ...expression, class: judged, ...(chosen === undefined ? {} : { chosen }), reason };
}

/** What a fact names; a name of no list by the `LicenseRef-` that a policy may list it under. */
function expressionOf({ expression, text }: LicenceFact, policy?: LicencePolicy): readonly LicenceExpression[] {
  if (expression === undefined) {
    const id = licenceReference(text ?? "");
    const isListed = [policy?.allow, policy?.warn, policy?.deny].some((list) => list?.includes(id));
    return isListed ? [{ kind: "licence", id, orLater: false }] : [];
  }
  try {
    return [parseLicenceExpression(expression)];
  } catch {
    return []; // A document of others may hold what is no expression.
  }
}

function unnamedWords({ text = "", expression = text }: LicenceFact): string {
  return `${JSON.stringify(expression.slice(0, 100))} names no licence of the SPDX list`;
}

/** The text that decided, or the first. */
function evidenceOf(found: LicenceFinding, facts: readonly LicenceFact[], policy: LicencePolicy): string {
  const fact = facts.find((each) => judgeFacts(found.component, [each], policy).reason === found.reason) ?? facts[0];
  const place = fact?.path ?? "texts";
  return `${place} (${Math.round((fact?.confidence ?? 0) * 100)} % alike)`;
}

/** Expression of all that is known of a component: what it declares, else what its texts say from `confidence` on. */
export function concludedLicence(component: Component, confidence = 0.9): string | undefined {
  const declared = component.declaredLicences.flatMap((fact) => expressionOf(fact));
  const joined =
    declared.length > 0 ? joinLicences("and", declared) : joinedDetection(component.detectedLicences, confidence);
  return joined === undefined ? undefined : licenceText(joined);
}
