import { canonicalJson, type Digest, type FactoryError, isFactoryError } from "@touchmark/core";
import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import type { VerifiedStatement } from "@touchmark/verify";
import { signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import type { PoliciesInForce } from "../policy/index.ts";
import type { GateAnswer } from "./ask-gate.ts";
import { askPublication } from "./ask-publication.ts";
import { relyOn } from "./earlier-decision.ts";

/** An artifact and where it is to go. */
export interface TargetQuestion {
  readonly name: string;
  readonly digest: Digest;
  /** `HOST/NAME`, or `factory:NAME`. */
  readonly place: string;
  readonly tags: readonly string[];
}

/** A passed decision, for whoever finds the artifact there. */
export interface TargetDecision {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/**
 * Asks whether an artifact may go to a place, under each of its tags. Every refusal is signed and logged before any of
 * them is thrown, and then nothing was passed. A decision of before on the same facts, by the same policies, is not
 * signed again while it is good. SPEC GT12.
 * @throws GATE_REFUSED | GATE_DECISION_MISSING
 */
export async function targetGate(
  factory: Factory,
  policies: PoliciesInForce,
  { name, digest, place, tags }: TargetQuestion,
): Promise<readonly TargetDecision[]> {
  const targets = tags.length === 0 ? [place] : tags.map((tag) => `${place}:${tag}`);
  // By its digest and no tag: a tag that only a promotion may set is not set by this decision.
  const resourceUri = `oci://${place.replace(/^factory:/, "factory/")}@${digest}`;
  const { answers, statements } = await askPublication(factory, policies, {
    ...{ name, digest },
    leaving: { targets, resourceUri },
  });
  let refusal: FactoryError | undefined;
  for (const answer of answers.filter((each) => each.refusal !== undefined)) {
    await signAttestation(factory, answer.statement);
    refusal ??= answer.refusal;
  }
  if (refusal !== undefined) throw refusal;
  const passed: TargetDecision[] = [];
  for (const answer of answers) {
    const before = statements.find((each) => standsFor(factory, each, answer, resourceUri))?.bundle;
    if (before !== undefined) {
      passed.push({ digest: before, bytes: await factory.content.get(before) });
      continue;
    }
    const { bundle, bytes } = await signAttestation(factory, answer.statement);
    passed.push({ digest: bundle, bytes });
  }
  return passed;
}

/** True for a decision that says of the same facts, by the same policies, what was just answered. */
function standsFor(factory: Factory, statement: VerifiedStatement, { decided }: GateAnswer, place: string): boolean {
  if (statement.statement.predicateType !== predicateType("verification-summary")) return false;
  const { subject, inputs } = decided.decision;
  try {
    const { policies } = relyOn(statement, {
      ...{ point: "publish", what: subject.name, request: inputs.request, now: factory.clock.now() },
      ...(subject.digest === undefined ? {} : { subject: subject.digest }),
      deciders: [attestId(factory.names().trustDomain)],
    });
    const { resourceUri } = readPredicate("verification-summary", statement.statement.predicate);
    return resourceUri === place && canonicalJson(policies) === canonicalJson(inputs.policies);
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return false;
  }
}
