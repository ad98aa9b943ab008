import { join } from "node:path";
import { attestId } from "@touchmark/identity";
import {
  type MaterialsConfiguration,
  type ReviewDecision,
  type Reviewer,
  readReviewers,
  readReviews,
} from "@touchmark/materials";
import { readTrustRoot } from "@touchmark/verify";
import type { Factory } from "../factory.ts";

/** This factory as a reviewer: what `touchmark materials review` signs. */
export async function ownReviewer(factory: Factory): Promise<Reviewer> {
  const { trustDomain, issuer } = factory.names();
  return { root: readTrustRoot(await factory.trustRoot()), identity: attestId(trustDomain), issuer, isOwn: true };
}

/** Where signed reviews lie. */
export const reviewDirectory = (factory: Factory): string => join(factory.home.paths.materials, "reviews");

/** Every review that counts in this factory. @throws PROCEDURE_REVIEW_UNVERIFIED | UPSTREAM_TRUST_INVALID */
export async function factoryReviews(
  factory: Factory,
  { trust }: Pick<MaterialsConfiguration, "trust">,
): Promise<readonly ReviewDecision[]> {
  const others = readReviewers(trust["third-party-review"] ?? []);
  return readReviews(reviewDirectory(factory), [await ownReviewer(factory), ...others]);
}
