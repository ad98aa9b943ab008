import { canonicalJson, type Json, sha256 } from "@touchmark/core";
import { coversPackage } from "@touchmark/formats/package-url";
import { exception as exceptionShape, type Policy, type PolicyException } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import type { ConsideredAttestation, RuleResult } from "../decision.ts";
import { isAhead, isReached } from "./dates.ts";
import { type Evidence, isAbout, signerName } from "./evidence.ts";
import { type Claim, countParties, partiesOf } from "./functionary.ts";
import type { Scope } from "./scope.ts";

/** What came of the exceptions from a policy's rules. */
export interface Exceptions {
  /** Exceptions in force about the subject, by rule: the one that lasts longest. */
  readonly byRule: ReadonlyMap<string, NonNullable<RuleResult["exception"]>>;
  readonly considered: readonly ConsideredAttestation[];
}

interface Stated {
  readonly evidence: Evidence;
  readonly document: string;
  readonly content: PolicyException;
}

/**
 * Finds the exceptions that count: about this policy and subject, in their time, signed by an approver who is one of
 * those that the policy lets grant exceptions, and who is not the requester.
 */
export function findExceptions(policy: Policy, scope: Scope): Exceptions {
  // By what was signed, whole: two who sign different things under one digest have not signed the same.
  const byDocument = new Map<string, Stated[]>();
  for (const evidence of scope.evidence) {
    const stated = readStated(evidence, policy, scope);
    if (stated === undefined) continue;
    const key = `${stated.document} ${sha256(canonicalJson(stated.content))}`;
    byDocument.set(key, [...(byDocument.get(key) ?? []), stated]);
  }
  const considered: ConsideredAttestation[] = [];
  const byRule = new Map<string, NonNullable<RuleResult["exception"]>>();
  for (const [, signatures] of [...byDocument].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const judged = judge(signatures, policy, scope);
    considered.push(...judged.considered);
    const { first } = judged;
    if (first === undefined) continue;
    const { id, reason, expires, rules } = first.content;
    for (const rule of rules) {
      const other = byRule.get(rule);
      if (other !== undefined && Date.parse(other.expires) >= Date.parse(expires)) continue;
      byRule.set(rule, { id, statement: first.evidence.bundle, reason, expires });
    }
  }
  return { byRule, considered };
}

/**
 * Undefined for another kind of statement, for one of another policy or subject, which is none of this question's
 * business, and for one whose parts do not agree with each other.
 */
function readStated(evidence: Evidence, policy: Policy, scope: Scope): Stated | undefined {
  if (evidence.predicateType !== predicateType("exception")) return undefined;
  if (typeof evidence.predicate !== "object" || evidence.predicate === null) return undefined;
  const { document, content } = evidence.predicate as { readonly [name: string]: Json | undefined };
  if (typeof document !== "string" || !isAbout(evidence, document)) return undefined;
  // Cheap first: a factory may keep many that are about something else.
  if (typeof content !== "object" || content === null) return undefined;
  if ((content as unknown as Partial<PolicyException>).policy !== policy.name) return undefined;
  try {
    exceptionShape.check(content, "exception");
  } catch {
    return undefined;
  }
  const exception = content as unknown as PolicyException;
  return isOfSubject(exception.subject, scope) ? { evidence, document, content: exception } : undefined;
}

/** Signatures of one document. */
function judge(signatures: readonly Stated[], policy: Policy, scope: Scope) {
  const claims: { readonly stated: Stated; readonly claim: Claim }[] = [];
  const refused = new Map<Stated, string>();
  for (const stated of signatures) {
    const problem = problemOf(stated, policy, scope);
    if (typeof problem === "string") refused.set(stated, problem);
    else claims.push({ stated, claim: problem });
  }
  const parties = countParties(claims.map(({ claim }) => claim));
  const threshold = policy.exceptions?.threshold ?? 1;
  const few = parties.count < threshold ? `${parties.count} of ${threshold} approvers signed` : undefined;
  const considered = signatures.map((stated): ConsideredAttestation => {
    const { evidence, content } = stated;
    const functionary = parties.partyOf(evidence.signer);
    const notCounted = refused.get(stated) ?? few;
    return {
      wanted: `exception:${content.id}`,
      statement: evidence.bundle,
      predicateType: evidence.predicateType,
      signer: signerName(evidence.signer),
      ...(notCounted !== undefined || functionary === undefined ? {} : { functionary }),
      ...(notCounted === undefined ? {} : { notCounted }),
    };
  });
  return { considered, first: few === undefined ? claims[0]?.stated : undefined };
}

/** Why a signature does not count, or whose it is. */
function problemOf({ evidence, content }: Stated, policy: Policy, scope: Scope): string | Claim {
  const { signer, time } = evidence;
  const { now } = scope;
  if (isReached(content.expires, now)) return `it expired on ${content.expires}`;
  if (!isReached(content.created, now)) return `it begins on ${content.created}`;
  if (isAhead(time, now)) return "it was signed after the time of this decision";
  const name = signer.kind === "certificate" ? signer.identity : signer.key;
  const problem = exceptionSignerProblem(content, name);
  if (problem !== undefined) return problem;
  if (policy.exceptions === undefined) return "the policy lets nobody grant exceptions";
  const parties = partiesOf(signer, policy.exceptions.by, policy.trust, scope.issuer);
  if (parties.length > 0) return { signer, parties };
  return `the policy lets only ${policy.exceptions.by.join(", ")} grant exceptions`;
}

/** Why an exception, by its own words, does not count by a signature; undefined when it may. */
export function exceptionSignerProblem(
  { requester, approvers }: Pick<PolicyException, "requester" | "approvers">,
  signer: string,
): string | undefined {
  // A requester may be named by the last part of an identity.
  if (signer === requester || signer.endsWith(`/${requester}`)) {
    return "its requester signed it, and nobody approves for himself";
  }
  return approvers.includes(signer) ? undefined : "its signer is none of its approvers";
}

/** One that names no subject is about none: an exception never holds for everything. */
function isOfSubject({ digest, purl }: PolicyException["subject"], { subject, request }: Scope): boolean {
  if (digest === undefined && purl === undefined) return false;
  if (digest !== undefined && digest !== subject.digest) return false;
  if (purl === undefined) return true;
  const named = request["purl"];
  // A star would make a pattern of it.
  if (purl.includes("*")) return false;
  return [subject.name, named].some(
    (each) => typeof each === "string" && each.startsWith("pkg:") && coversPackage(purl, each),
  );
}
