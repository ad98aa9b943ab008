import { canonicalJson, type Digest, digestHex, type FactoryError, sha256 } from "@touchmark/core";
import { subjectOf } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { type AttestReport, signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import { askGate } from "../gates/ask-gate.ts";
import { chainLevels } from "../gates/publish-gate.ts";
import { localCaller } from "../gates/request-facts.ts";
import type { PoliciesInForce } from "../policy/index.ts";

/** What a decision about a promotion is taken on. */
export interface PromotionQuestion {
  readonly digest: Digest;
  /** `HOST/NAME:TAG` */
  readonly target: string;
  /** Chains that were verified; none where verifying failed. */
  readonly chains: readonly VerifiedChain[];
  readonly policies: PoliciesInForce;
  /** What was demanded of the evidence beside the policies, for the record. */
  readonly demands: unknown;
  /** Why the evidence does not verify: then nothing is allowed, whatever policies say. */
  readonly broken?: FactoryError;
}

/** A decision that is signed and logged. */
export interface PromotionDecision {
  readonly report: AttestReport;
  readonly refusal: FactoryError | undefined;
}

/** The address of a target in a decision. */
const resourceUri = (target: string): string => `oci://${target.replace(/^factory:/, "factory/")}`;

/**
 * Asks the gate of publication about each chain, and signs one verification summary about what is promoted: that of the
 * chain that policy refuses, or the first.
 */
export async function decidePromotion(factory: Factory, question: PromotionQuestion): Promise<PromotionDecision> {
  const { digest, target, chains, policies, demands, broken } = question;
  const { trustDomain } = factory.names();
  const answers = (chains.length === 0 ? [undefined] : chains).map((chain) =>
    askGate(factory, policies, {
      point: "publish",
      // An image is its own subject; of another artifact each file is one.
      subject: { name: target, digest: chain?.artifact.digest ?? digest },
      facts: {
        run: chain?.run ?? "",
        project: chain?.project ?? "",
        pipeline: chain?.pipeline ?? "",
        artifact: { name: chain?.artifact.name ?? "", kind: "image" },
        ...{ target, caller: localCaller(), insecureOptions: chain?.insecureOptions ?? [] },
      },
      evidence: [],
      chains: chain === undefined ? [] : [chain],
      verifier: attestId(trustDomain),
      resourceUri: resourceUri(target),
      levels: chain === undefined ? [] : chainLevels(chain),
    }),
  );
  const answer = answers.find(({ refusal }) => refusal !== undefined) ?? answers[0];
  if (answer === undefined) throw new TypeError("a promotion is asked about at least once");
  const inputs = new Set(chains.flatMap((chain) => chain.statements.map((each) => each.digest)));
  const predicate = {
    ...(answer.statement.predicate as object),
    inputAttestations: [...inputs].map((each) => ({ digest: { sha256: digestHex(each) } })),
    touchmark_demands: sha256(canonicalJson(demands)),
    ...(broken === undefined ? {} : { verificationResult: "FAILED", verifiedLevels: [] }),
  };
  const statement = { ...answer.statement, subject: [subjectOf(target, digest)], predicate };
  return { report: await signAttestation(factory, statement), refusal: broken ?? answer.refusal };
}
