import type { LayoutStep } from "@touchmark/formats/policy";
import type { CelInput } from "../cel/value.ts";
import type { Denial, RuleResult } from "../decision.ts";
import type { Evidence } from "../engine/evidence.ts";
import { type Claim, countParties, partiesOf } from "../engine/functionary.ts";
import { digestText } from "./artifacts.ts";
import type { LayoutQuestion } from "./judgement.ts";
import { ruleDenials } from "./rule-denials.ts";
import type { StepGroup } from "./step-groups.ts";

/**
 * Statements about the products of a step (ITE-10): of the type, by the functionaries, with the rules true of each that
 * counts. One that fails does not hide one that passes, nor the reverse.
 */
export function attestationDenials(
  step: LayoutStep,
  { products }: StepGroup,
  question: LayoutQuestion,
  results: RuleResult[],
): Denial[] {
  const { layout, issuer } = question;
  const denials: Denial[] = [];
  const digests = new Set([...products.digests.values()].flatMap((set) => set.split(",")));
  for (const wanted of step.attestations ?? []) {
    const candidates = (question.attestations ?? [])
      .filter(({ predicateType }) => predicateType === wanted.predicateType)
      .filter(({ subject }) => subject.some(({ digest }) => isAbout(digest, digests)))
      .map((each) => ({ each, parties: partiesOf(each.signer, wanted.functionaries, layout.functionaries, issuer) }))
      .filter(({ parties }) => parties.length > 0);
    const passing: Claim[] = [];
    const failures: Denial[] = [];
    for (const { each, parties } of candidates) {
      const variables = variablesOf(step.name, each);
      const failed = (wanted.rules ?? []).flatMap((rule) => ruleDenials(rule, variables, question, step.name, results));
      if (failed.length > 0) failures.push(...failed);
      else passing.push({ signer: each.signer, parties });
    }
    const threshold = Math.max(1, wanted.threshold ?? 1);
    const { count } = countParties(passing);
    if (count >= threshold) continue;
    if (failures.length > 0) denials.push(...failures);
    denials.push({
      code: passing.length === 0 ? "POLICY_ATTESTATION_MISSING" : "POLICY_THRESHOLD",
      step: step.name,
      message: `step ${step.name} wants ${threshold} of ${wanted.functionaries.join(", ")} to attest ${wanted.predicateType} of its products, and ${count} did`,
      solution: `Have ${wanted.functionaries.join(", ")} attest it, and present the statement.`,
    });
  }
  return denials;
}

function isAbout(digest: { readonly [algorithm: string]: string }, digests: ReadonlySet<string>): boolean {
  return digestText(digest)
    .split(",")
    .some((each) => digests.has(each));
}

/** The names that ITE-10 has, beside those of every rule. */
function variablesOf(
  step: string,
  { predicateType, predicate, subject, signer }: Evidence,
): { readonly [name: string]: CelInput } {
  return {
    step,
    predicateType,
    predicate,
    statementSubject: subject.map(({ name, digest }) => ({ name: name ?? "", digest })),
    signer:
      signer.kind === "certificate"
        ? { identity: signer.identity, issuer: signer.issuer, key: "" }
        : { identity: "", issuer: "", key: signer.key },
  };
}
