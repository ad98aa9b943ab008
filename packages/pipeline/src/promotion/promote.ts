import { type Digest, isFactoryError } from "@touchmark/core";
import type { OciReader, OciWriter } from "@touchmark/formats/oci";
import { predicateType } from "@touchmark/formats/predicates";
import { type CopyProgress, type CopyReport, copyImage, publishArtifact } from "@touchmark/registry";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { AttestReport } from "../attest.ts";
import type { Factory } from "../factory.ts";
import type { PoliciesInForce } from "../policy/index.ts";
import { decidePromotion } from "./decision.ts";

/** A promotion. */
export interface PromotionRequest {
  readonly from: OciReader;
  readonly digest: Digest;
  readonly to: OciReader & OciWriter;
  readonly tag: string;
  /** `HOST/NAME` of the target, without the tag. */
  readonly place: string;
  /** What is demanded of the evidence, for the record. */
  readonly demands: unknown;
  readonly policies: PoliciesInForce;
  /** Verifies what the digest stands for; throws to refuse. */
  readonly verify: () => Promise<readonly VerifiedChain[]>;
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** What was promoted, and by which decision. */
export interface PromotionReport {
  readonly copy: CopyReport;
  readonly decision: Pick<AttestReport, "bundle" | "identity" | "logIndex">;
  readonly chains: readonly VerifiedChain[];
}

/**
 * Copies what verifies and policies let out, with everything that refers to it, under a decision that is signed, logged, and stored beside it
 * before the tag is set. A refusal is signed and logged too, and nothing is copied.
 * @throws what verifying and copying throw; SPEC PR1
 */
export async function promoteImage(factory: Factory, request: PromotionRequest): Promise<PromotionReport> {
  const { from, to, digest, tag, place, demands } = request;
  const target = `${place}:${tag}`;
  const question = { digest, target, demands, policies: request.policies };
  let chains: readonly VerifiedChain[];
  try {
    chains = await request.verify();
  } catch (error) {
    if (isFactoryError(error) && error.nature === "refused") {
      await decidePromotion(factory, { ...question, chains: [], broken: error });
    }
    throw error;
  }
  const { report: decision, refusal } = await decidePromotion(factory, { ...question, chains });
  if (refusal !== undefined) throw refusal;
  const copy = await copyImage({
    ...{ from, to, reference: digest, referrers: true, tag },
    ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
    beforeTag: async (subject) => {
      const bundles = [{ bytes: decision.bytes, predicateType: predicateType("verification-summary") }];
      await publishArtifact(to, { subject, bundles, created: factory.clock });
    },
  });
  const { bundle, identity, logIndex } = decision;
  return { copy, decision: { bundle, identity, logIndex }, chains };
}
