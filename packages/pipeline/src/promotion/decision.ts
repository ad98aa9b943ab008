import { canonicalJson, type Digest, digestHex, rfc3339, sha256 } from "@touchmark/core";
import { STATEMENT_TYPE } from "@touchmark/formats/evidence";
import { type PredicateOf, predicateType, subjectOf } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { type AttestReport, signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";

/** What decisions of this kind demand: a whole chain of evidence. There is no further policy yet, and they say so. */
export const CHAIN_POLICY = "https://touchmark.dev/policies/evidence-chain/v1";

/** What was decided about one artifact. */
export interface PromotionDecision {
  readonly digest: Digest;
  /** `HOST/NAME:TAG` */
  readonly target: string;
  /** What was demanded: builder, source, properties. */
  readonly demands: unknown;
  /** Chains that were verified; undefined for a refusal. */
  readonly chains: readonly VerifiedChain[] | undefined;
}

/** The address of a target in a decision. */
export const resourceUri = (target: string): string => `oci://${target.replace(/^factory:/, "factory/")}`;

/** Signs a decision as a SLSA verification summary, logs it, and keeps it in the factory. */
export async function signDecision(factory: Factory, decision: PromotionDecision): Promise<AttestReport> {
  const { digest, target, demands, chains } = decision;
  const { trustDomain } = factory.names();
  const isHermetic = chains?.every((chain) => chain.hermetic) === true;
  const inputs = new Set((chains ?? []).flatMap((chain) => chain.statements.map((each) => each.digest)));
  const predicate: PredicateOf<"verification-summary"> = {
    verifier: { id: attestId(trustDomain) },
    timeVerified: rfc3339(factory.clock.now()),
    resourceUri: resourceUri(target),
    policy: { uri: CHAIN_POLICY, digest: { sha256: digestHex(sha256(canonicalJson(demands))) } },
    inputAttestations: [...inputs].map((each) => ({ digest: { sha256: digestHex(each) } })),
    verificationResult: chains === undefined ? "FAILED" : "PASSED",
    // What was verified, and no more: the build platform's own level is nobody's measurement here.
    verifiedLevels:
      chains === undefined
        ? []
        : ["SLSA_BUILD_LEVEL_1", "TOUCHMARK_CHAIN", ...(isHermetic ? ["TOUCHMARK_HERMETIC"] : [])],
    slsaVersion: "1.2",
  };
  return signAttestation(factory, {
    _type: STATEMENT_TYPE,
    subject: [subjectOf(target, digest)],
    predicateType: predicateType("verification-summary"),
    predicate,
  });
}
