import type { Digest } from "@touchmark/core";
import type { DecisionPoint } from "@touchmark/formats/policy";
import { type PredicateOf, readPredicate } from "@touchmark/formats/predicates";
import type { VerifiedStatement } from "@touchmark/verify";
import { gateErrors } from "./errors.ts";

/** What the next gate demands of the decision before it. */
export interface Reliance {
  readonly point: DecisionPoint;
  /** What it must be about, for messages. */
  readonly what: string;
  /** Identities that may have decided. */
  readonly deciders: readonly string[];
  /** When it is relied on. */
  readonly now: Date;
  /** Digest of its subject, where it has one. */
  readonly subject?: Digest;
  readonly run?: string;
  /** Digest of the facts that it must have been taken on. */
  readonly request?: Digest;
}

/** A decision that may be relied on. */
export type EarlierDecision = NonNullable<PredicateOf<"verification-summary">["touchmark_decision"]> & {
  readonly bundle: Digest;
};

/**
 * The decision of an earlier gate, when it passed, is still good, and is about these very inputs. The statement must
 * have been verified. SPEC GT3.
 * @throws GATE_DECISION_MISSING | GATE_DECISION_EXPIRED | GATE_DECISION_MISMATCH
 */
export function relyOn(statement: VerifiedStatement | undefined, reliance: Reliance): EarlierDecision {
  const { point, what, deciders, now, subject, run, request } = reliance;
  const missing = (why: string) =>
    gateErrors.make("GATE_DECISION_MISSING", `expected a passed decision about ${what} (${point}), found ${why}`);
  const mismatch = (why: string) =>
    gateErrors.make("GATE_DECISION_MISMATCH", `the decision about ${what} (${point}) ${why}`);
  if (statement === undefined) throw missing("none");
  const { signer } = statement;
  if (signer.kind !== "certificate" || !deciders.includes(signer.identity)) {
    throw missing(`one by ${signer.kind === "certificate" ? signer.identity : "a bare key"}`);
  }
  const summary = readPredicate("verification-summary", statement.statement.predicate);
  const { touchmark_decision: mark, touchmark_chain: chain, verificationResult } = summary;
  if (mark?.point !== point) throw missing(`one of ${mark?.point ?? "no gate"}`);
  if (verificationResult !== "PASSED") throw missing("a refusal");
  if (summary.verifier.id !== signer.identity) throw mismatch(`names the verifier ${summary.verifier.id}`);
  if (run !== undefined && chain?.run !== run) throw mismatch(`is of run ${chain?.run ?? "none"}, not ${run}`);
  const hex = statement.statement.subject[0]?.digest["sha256"];
  if (subject !== undefined && subject !== `sha256:${hex}`) throw mismatch(`is about sha256:${hex}, not ${subject}`);
  if (request !== undefined && mark.request !== request) throw mismatch("was taken on other facts");
  if (Date.parse(mark.expires) <= now.getTime()) {
    throw gateErrors.make(
      "GATE_DECISION_EXPIRED",
      `the decision about ${what} (${point}) was good until ${mark.expires}`,
    );
  }
  return { ...mark, bundle: statement.bundle };
}
