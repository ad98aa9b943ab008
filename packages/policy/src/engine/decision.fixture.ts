import { type Digest, type Json, sha256 } from "@touchmark/core";
import type { Policy, PolicyException, PolicyRule } from "@touchmark/formats/policy";
import { predicateType } from "@touchmark/formats/predicates";
import type { Decision, Pinned, PolicyVerdict } from "../decision.ts";
import { pinned } from "../library/default-policies.ts";
import { decideWithStated, type StatedInput, type StatedStatement } from "./stated.ts";

/** Questions and documents of the engine's tests. */

export const now = new Date("2026-11-22T12:00:00Z");
export const ISSUER = "https://factory.test";
export const artifact: Digest = sha256("the artifact");
export const SCAN = "https://example.test/scan/v1";

/** A policy at the point `deploy` that nothing is wrong with, but for what the test says. */
export function policyOf(parts: Partial<Policy>): Policy {
  return {
    touchmark: "policy/v1",
    name: "test",
    version: 1,
    expires: "2027-01-01T00:00:00Z",
    point: "deploy",
    ...parts,
  };
}

export function ruleOf(id: string, expression: string, parts: Partial<PolicyRule> = {}): PolicyRule {
  return { id, title: `Rule ${id}`, expression, ...parts };
}

/** Person or service of the factory's own issuer. */
export function party(...identities: string[]) {
  return { identities: identities.map((identity) => ({ identity: `spiffe://factory.test/${identity}` })) };
}

/** A statement about the artifact, as a test states it. */
export function stated(
  predicate: Json,
  parts: Omit<Partial<StatedStatement>, "signer"> & { readonly by?: string; readonly about?: Digest } = {},
): StatedStatement {
  const { by = "scanner", about = artifact, ...rest } = parts;
  return {
    bundle: sha256(JSON.stringify([predicate, by, about, rest])),
    predicateType: SCAN,
    predicate,
    subject: [{ name: "app", digest: { sha256: about.slice(7) } }],
    signer: { kind: "certificate", identity: `spiffe://factory.test/${by}`, issuer: ISSUER },
    time: now,
    ...rest,
  };
}

export const exceptionFor = (rules: readonly string[], parts: Partial<PolicyException> = {}): PolicyException => ({
  touchmark: "exception/v1",
  id: "ex-1",
  policy: "test",
  rules,
  subject: { digest: artifact },
  reason: "the fix is on its way",
  requester: "spiffe://factory.test/user/rita",
  approvers: ["spiffe://factory.test/user/anna", "spiffe://factory.test/user/otto"],
  created: "2026-11-01T00:00:00Z",
  expires: "2026-12-01T00:00:00Z",
  ...parts,
});

/** An exception as somebody signed it. */
export function signedException(content: PolicyException, by = "user/anna"): StatedStatement {
  const document = sha256(JSON.stringify(content));
  const predicate = { document, content } as unknown as Json;
  return stated(predicate, { by, about: document, predicateType: predicateType("exception") });
}

/** What is decided about the artifact at `deploy` under these policies. */
export function ask(policies: Policy | readonly Policy[], parts: Partial<StatedInput> = {}): Decision {
  const documents: readonly Policy[] = Array.isArray(policies) ? policies : [policies as Policy];
  return decideWithStated({
    point: "deploy",
    subject: { name: "app", digest: artifact },
    request: {},
    policies: documents.map((document): Pinned<Policy> => pinned(document)),
    layouts: [],
    evidence: [],
    parameters: {},
    now,
    issuer: ISSUER,
    ...parts,
  });
}

/** The one verdict of a decision about one policy. */
export function verdictOf(decision: Decision): PolicyVerdict {
  const [verdict, ...more] = decision.verdicts;
  if (verdict === undefined || more.length > 0)
    throw new Error(`expected one verdict, found ${decision.verdicts.length}`);
  return verdict;
}

/** Codes of a decision, of all policies. */
export function codesOf(decision: Decision): readonly string[] {
  return [...decision.denials, ...decision.verdicts.flatMap(({ denials }) => denials)].map(({ code }) => code);
}

/** Outcomes of rules by id. */
export function outcomesOf(decision: Decision): { readonly [rule: string]: string } {
  return Object.fromEntries(decision.verdicts.flatMap(({ rules }) => rules).map(({ id, outcome }) => [id, outcome]));
}
