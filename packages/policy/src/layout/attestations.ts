import type { LayoutStep } from "@touchmark/formats/policy";
import { isVerified, type VerifiedStatement } from "@touchmark/verify";
import type { CelInput } from "../cel/value.ts";
import type { Denial, RuleResult } from "../decision.ts";
import { digestText } from "./artifacts.ts";
import { distinctFunctionaries, shownSigner } from "./functionary.ts";
import type { LayoutQuestion } from "./judgement.ts";
import { ruleDenials } from "./rule-denials.ts";
import { namesOf, type StepGroup } from "./step-groups.ts";
import { type LinkSigner, signerOf } from "./step-link.ts";

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
  const denials: Denial[] = [];
  const digests = new Set([...products.digests.values()].flatMap((set) => set.split(",")));
  for (const wanted of step.attestations ?? []) {
    const candidates = (question.attestations ?? [])
      .filter((each) => isVerified(each) && each.statement.predicateType === wanted.predicateType)
      .filter(({ statement }) => statement.subject.some((subject) => isAbout(subject.digest, digests)))
      .map((each) => ({ each, signer: signerOf(each.signer) }))
      .map(({ each, signer }) => ({ each, signer, names: namesOf(wanted.functionaries, signer, question) }))
      .filter(({ names }) => names.length > 0);
    const passing: { readonly signer: LinkSigner; readonly names: readonly string[] }[] = [];
    const failures: Denial[] = [];
    for (const { each, signer, names } of candidates) {
      const variables = variablesOf(step.name, each, signer);
      const failed = (wanted.rules ?? []).flatMap((rule) => ruleDenials(rule, variables, question, step.name, results));
      if (failed.length > 0) failures.push(...failed);
      else passing.push({ signer, names });
    }
    const threshold = Math.max(1, wanted.threshold ?? 1);
    const agreed = distinctFunctionaries(passing.map(({ names }) => names)).size;
    const signers = new Set(passing.map(({ signer }) => shownSigner(signer))).size;
    if (Math.min(agreed, signers) >= threshold) continue;
    if (failures.length > 0) denials.push(...failures);
    denials.push({
      code: passing.length === 0 ? "POLICY_ATTESTATION_MISSING" : "POLICY_THRESHOLD",
      step: step.name,
      message: `step ${step.name} wants ${threshold} of ${wanted.functionaries.join(", ")} to attest ${wanted.predicateType} of its products, and ${agreed} did`,
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

function variablesOf(
  step: string,
  { statement }: VerifiedStatement,
  signer: LinkSigner,
): { readonly [name: string]: CelInput } {
  return {
    step,
    predicateType: statement.predicateType,
    predicate: statement.predicate,
    statementSubject: statement.subject.map(({ name, digest }) => ({ name: name ?? "", digest })),
    signer:
      signer.kind === "certificate"
        ? { identity: signer.identity, issuer: signer.issuer, key: "" }
        : { identity: "", issuer: "", key: signer.key },
  };
}
