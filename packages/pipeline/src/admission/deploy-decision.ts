import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import { type Decision, type DecisionInput, decide } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { type DecidedHere, expiryOf, inputOf } from "../policy/decide-here.ts";
import { keepRecord, plainFacts } from "../policy/decision-record.ts";
import type { PoliciesInForce } from "../policy/policies-in-force.ts";
import type { GatheredHere } from "./evidence-source.ts";

/** A question of the admission gate. */
export interface DeployQuestion {
  readonly subject: DecisionInput["subject"];
  readonly request: DecisionInput["request"];
  readonly evidence: Pick<GatheredHere, "statements" | "chains" | "refused">;
  readonly now: Date;
  /** Who vouches for identities where a functionary names no issuer. Default: this factory's own. */
  readonly issuer?: string;
}

/** The whole input of a decision at the point `deploy`. */
export function deployInput(factory: Factory, policies: PoliciesInForce, question: DeployQuestion): DecisionInput {
  const { subject, request, evidence, now, issuer } = question;
  const { statements, chains, refused } = evidence;
  const input = inputOf(factory, policies, {
    ...{ point: "deploy", subject, request, evidence: statements, chains, refused, now },
  });
  return issuer === undefined ? input : { ...input, issuer };
}

/** Decides at the point `deploy`. */
export const decideDeploy = (factory: Factory, policies: PoliciesInForce, question: DeployQuestion): Decision =>
  decide(deployInput(factory, policies, question));

/** Keeps decisions of a gate that is asked the same again and again. */
export interface DecisionRecords {
  /** Keeps what it takes to decide again, unless the same was kept within the hour. */
  keep(input: DecisionInput, decision: Decision): void;
  /** A decision that was kept, or that an equal one of before stands for, with what it takes to sign it. */
  kept(decision: Decision): DecidedHere | undefined;
}

const REPEAT_MS = 3_600_000;

/** Records in a home: each different decision once an hour, so that a thousand equal questions leave one file. */
export function decisionRecords(factory: Factory, mostRemembered = 10_000): DecisionRecords {
  const remembered = new Map<Digest, Pick<DecidedHere, "record" | "expires"> & { readonly at: number }>();
  const records = new WeakMap<Decision, Pick<DecidedHere, "record" | "expires">>();
  return {
    kept(decision) {
      const found = records.get(decision);
      if (found === undefined) return undefined;
      const { record, expires } = found;
      return { decision, digest: sha256(canonicalJson(decision)), record, expires };
    },
    keep(input, decision) {
      const { at: _, cost: __, ...same } = decision;
      // The engine writes its members in one order: sorting them again would cost as much as deciding.
      const key = sha256(JSON.stringify(same));
      const now = input.now.getTime();
      const before = remembered.get(key);
      if (before !== undefined && now >= before.at && now - before.at < REPEAT_MS) {
        records.set(decision, before);
        return;
      }
      remembered.delete(key);
      const [oldest] = remembered.keys();
      if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest);
      const record = keepRecord(factory, {
        touchmark: "decision-record/v1",
        decision,
        request: plainFacts(input.request),
        parameters: plainFacts(input.parameters),
        issuer: input.issuer,
        evidence: input.evidence.map(({ bundle }) => bundle),
        chains: (input.chains ?? []).map(({ artifact }) => artifact.digest),
      });
      const kept = { record, expires: expiryOf(input) };
      remembered.set(key, { ...kept, at: now });
      records.set(decision, kept);
    },
  };
}
