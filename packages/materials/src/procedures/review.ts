import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Digest, isFactoryError, rfc3339, sha256 } from "@touchmark/core";
import { predicateType, readPredicate, type ThirdPartyReview } from "@touchmark/formats/predicates";
import { readTrustRoot, type TrustRoot, verifyBundle } from "@touchmark/verify";
import type { ReviewDecision } from "../gate/review-decision.ts";
import { isTrustRules, parseTrustRules } from "../upstream-evidence/trust-rules.ts";
import { reviewErrors } from "./review-errors.ts";

/** What a person decides about a component. */
export type ReviewWords = Omit<ThirdPartyReview, "run" | "createdAt" | "predecessors">;

/** Whose reviews count. */
export interface Reviewer {
  readonly root: TrustRoot;
  readonly identity: string;
  readonly issuer: string;
  /** This factory itself, which may also review what it made. */
  readonly isOwn: boolean;
}

/** Type of the statement. */
export const reviewType = (): string => predicateType("third-party-review");

/** Subject of a review: the SHA-256 of the pattern, since a pattern has no bytes of its own. */
export const reviewSubject = (packages: string): Digest => sha256(packages);

/** The predicate of a review, checked. @throws PROCEDURE_REVIEW_INVALID */
export function buildReview(words: ReviewWords, clock: Clock): ThirdPartyReview {
  const review: ThirdPartyReview = {
    // A decision of a person belongs to no run and rests on no earlier statement.
    run: "review",
    createdAt: rfc3339(clock.now()),
    predecessors: [],
    ...words,
  };
  const fail = (message: string, cause?: unknown): never => {
    throw reviewErrors.make("PROCEDURE_REVIEW_INVALID", message, cause === undefined ? {} : { cause });
  };
  try {
    readPredicate("third-party-review", review);
  } catch (cause) {
    return fail((cause as Error).message, cause);
  }
  if ((review.decision === "limit") !== (review.steps !== undefined)) {
    fail(`expected steps exactly with the decision limit, found ${review.decision}`);
  }
  if (!(Date.parse(review.expires) > clock.now().getTime())) {
    fail(`expected an expiry to come, found ${review.expires}`);
  }
  return review;
}

/** Reads a signed review. @throws PROCEDURE_REVIEW_UNVERIFIED */
export function readReview(bundle: Uint8Array, reviewers: readonly Reviewer[]): ReviewDecision {
  let why: unknown = new Error("nobody's reviews count");
  for (const { root, identity, issuer, isOwn } of reviewers) {
    let statement: ReturnType<typeof verifyBundle>["statement"];
    try {
      const wanted = { artifact: "unbound", identity, issuer, predicateType: reviewType() } as const;
      ({ statement } = verifyBundle(bundle, root, wanted));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      why = error;
      continue;
    }
    const review = readPredicate("third-party-review", statement.predicate);
    const subjects = statement.subject.map((each) => `sha256:${each.digest["sha256"]}`);
    if (subjects.length !== 1 || subjects[0] !== reviewSubject(review.packages)) {
      throw unverified(`expected the subject to be the pattern ${review.packages}, found ${subjects.join(", ")}`);
    }
    if (review.party === "first" && !isOwn) {
      throw unverified(`expected another party than first from ${identity}, which is not this factory`);
    }
    return {
      digest: sha256(bundle),
      packages: review.packages,
      decision: review.decision,
      steps: review.steps ?? [],
      party: review.party,
      approver: review.approver,
      expires: review.expires,
    };
  }
  throw unverified(`expected a review of one of ${reviewers.length} signers: ${(why as Error).message}`, why);
}

const mostReviews = 10_000;
const mostBytes = 1024 * 1024;

/** Every review in a directory, by file name. A missing directory holds none. @throws PROCEDURE_REVIEW_UNVERIFIED */
export function readReviews(directory: string, reviewers: readonly Reviewer[]): readonly ReviewDecision[] {
  let names: string[];
  try {
    names = readdirSync(directory)
      .filter((name) => name.endsWith(".json"))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  if (names.length > mostReviews) throw unverified(`expected at most ${mostReviews} reviews, found ${names.length}`);
  return names.map((name) => {
    try {
      return readReview(readBounded(join(directory, name)), reviewers);
    } catch (error) {
      if (isFactoryError(error)) throw unverified(`${name}: ${error.message}`, error);
      throw error;
    }
  });
}

/** Signers of others from the user's trust files: trust roots, and rules that name identity and issuer. @throws UPSTREAM_TRUST_INVALID */
export function readReviewers(files: readonly string[]): readonly Reviewer[] {
  const roots: TrustRoot[] = [];
  const signers: { identity: string; issuer: string }[] = [];
  for (const file of files) {
    const bytes = readBounded(file);
    const text = Buffer.from(bytes).toString("utf8");
    if (!isTrustRules(text)) roots.push(readTrustRoot(bytes));
    else {
      for (const { identity, issuer } of parseTrustRules(text, file).signers) {
        if (identity !== undefined && issuer !== undefined) signers.push({ identity, issuer });
      }
    }
  }
  return roots.flatMap((root) => signers.map((signer) => ({ ...signer, root, isOwn: false })));
}

function readBounded(path: string): Uint8Array {
  const file = openSync(path, "r");
  try {
    const { size } = statSync(path);
    if (size > mostBytes) throw unverified(`expected at most ${mostBytes} bytes in ${path}, found ${size}`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function unverified(message: string, cause?: unknown): Error {
  return reviewErrors.make("PROCEDURE_REVIEW_UNVERIFIED", message, cause === undefined ? {} : { cause });
}
