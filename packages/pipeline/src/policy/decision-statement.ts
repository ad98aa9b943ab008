import { canonicalJson, digestHex, sha256 } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import { type Chain, type PredicateOf, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { assertDecided, type Decision } from "@touchmark/policy";
import type { DecidedHere } from "./decide-here.ts";

/** What a decision's statement says beside the decision. */
export interface DecisionPlace {
  /** Identity of who decided: `spiffe://TD/attest` or the builder. */
  readonly verifier: string;
  readonly version: string;
  /** Where the subject is to go; a URI. */
  readonly resourceUri: string;
  /** Levels that were found to hold. */
  readonly levels: readonly string[];
  readonly chain?: Chain;
}

/** The statement of a decision: a SLSA verification summary, with what it takes to find and repeat the decision. */
export function decisionStatement(decided: DecidedHere, place: DecisionPlace): Statement<unknown> {
  const { decision, digest, record } = decided;
  assertDecided(decision);
  const { subject, inputs, result, at } = decision;
  const isAllowed = result === "allow";
  const predicate: PredicateOf<"verification-summary"> & { readonly [extension: string]: unknown } = {
    verifier: { id: place.verifier, version: { touchmark: place.version } },
    timeVerified: at,
    resourceUri: place.resourceUri,
    policy: policyOf(decision),
    inputAttestations: inputs.evidence.map((each) => ({ digest: { sha256: digestHex(each) } })),
    verificationResult: isAllowed ? "PASSED" : "FAILED",
    verifiedLevels: isAllowed ? [...place.levels] : [],
    slsaVersion: "1.2",
    touchmark_decision: {
      point: decision.point,
      decision: digest,
      record,
      request: inputs.request,
      policies: inputs.policies,
      expires: decided.expires.toISOString(),
      denials: [...decision.denials, ...decision.verdicts.flatMap((each) => each.denials)]
        .slice(0, 100)
        .map(({ code, rule }) => (rule === undefined ? { code } : { code, rule })),
    },
    ...(place.chain === undefined ? {} : { touchmark_chain: place.chain }),
  };
  const named =
    subject.digest ?? sha256(canonicalJson({ point: decision.point, name: subject.name, request: inputs.request }));
  return statementOf("verification-summary", [subjectOf(subject.name, named)], predicate);
}

/** All policies that spoke, as one digest; the set's where there is one. */
function policyOf({ inputs }: Decision): { readonly uri: string; readonly digest: { readonly sha256: string } } {
  const pinned = inputs.set ?? sha256(canonicalJson(inputs.policies));
  return { uri: "https://touchmark.dev/policies/decision/v1", digest: { sha256: digestHex(pinned) } };
}
