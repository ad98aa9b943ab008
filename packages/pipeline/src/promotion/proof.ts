import { isFactoryError } from "@touchmark/core";
import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import { findEvidence, localRepository, type PromotionProof, type RegistryBackend } from "@touchmark/registry";
import { prepareExpectations, readTrustRoot, verifyBundle } from "@touchmark/verify";
import type { Factory } from "../factory.ts";

/**
 * Lets a tag be set that only the gate may set: when a decision of this factory's gate about this digest, this repository
 * and this tag lies among the referrers, passed. SPEC PR2
 */
export function promotionProof(
  factory: Pick<Factory, "trustRoot" | "names" | "clock">,
  backend: RegistryBackend,
): PromotionProof {
  return {
    async missing(repository, tag, digest) {
      const trustRoot = readTrustRoot(await factory.trustRoot());
      const { trustDomain, issuer } = factory.names();
      const expected = prepareExpectations({
        artifact: digest,
        identity: attestId(trustDomain),
        issuer,
        predicateType: predicateType("verification-summary"),
      });
      let seen = 0;
      for await (const { bytes } of findEvidence(localRepository(backend, repository, repository), digest)) {
        seen++;
        try {
          const verified = verifyBundle(bytes, trustRoot, expected);
          if (verified.kind !== "statement") continue;
          const summary = readPredicate("verification-summary", verified.statement.predicate);
          const { touchmark_decision: decision, verificationResult } = summary;
          if (verificationResult !== "PASSED" || decision?.point !== "publish") continue;
          if (Date.parse(decision.expires) <= factory.clock.now().getTime()) continue;
          // The host by which clients know this registry is theirs to choose; the rest must be this very place.
          if (/^oci:\/\/[^/]+\/(.+)$/.exec(summary.resourceUri)?.[1] === `${repository}:${tag}`) return undefined;
        } catch (error) {
          if (!isFactoryError(error)) throw error;
        }
      }
      return `none of ${seen} bundles beside it is a decision for ${repository}:${tag}`;
    },
  };
}
