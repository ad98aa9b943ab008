import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { userId } from "@touchmark/identity";
import { rulesAt } from "@touchmark/policy";
import type { RunFacts } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { evidenceHere, type PoliciesInForce } from "../policy/index.ts";

/**
 * Who approves this definition of the pipeline, by its digest: people of the factory who did not take it back.
 * Looked up where a rule reads it and nowhere else; undefined: nobody looked. SPEC GT11.
 */
export async function pipelineSigners(
  factory: Factory,
  { pipelineFile, now, trustDomain }: Pick<RunFacts, "pipelineFile" | "now" | "trustDomain">,
  policies: PoliciesInForce,
): Promise<readonly string[] | undefined> {
  if (!policies.policies.some(({ document }) => readsSigners(document))) return undefined;
  const { statements } = await evidenceHere(factory, pipelineFile.digest);
  const [approved, withdrawn] = [new Map<string, number>(), new Map<string, number>()];
  for (const { statement, signer } of statements) {
    if (statement.predicateType !== predicateType("approval") || signer.kind !== "certificate") continue;
    const { identity } = signer;
    const { user, decision, approvedAt, expires } = readPredicate("approval", statement.predicate);
    if (identity !== userId(trustDomain, user)) continue;
    if (expires !== undefined && Date.parse(expires) <= now().getTime() && decision === "approved") continue;
    const latest = decision === "approved" ? approved : withdrawn;
    latest.set(identity, Math.max(latest.get(identity) ?? 0, Date.parse(approvedAt)));
  }
  // Of two in one second the one that takes back counts.
  return [...approved].flatMap(([who, at]) => (at > (withdrawn.get(who) ?? 0) ? [who] : [])).sort();
}

/** Whether a policy has a rule about signers, of its own or of a collection. */
function readsSigners(document: PoliciesInForce["policies"][number]["document"]): boolean {
  if (document.point !== "request") return false;
  const own = JSON.stringify(document);
  const collected = (document.collections ?? []).flatMap((name) => rulesAt(name, "request") ?? []);
  return [own, ...collected.map(({ expression }) => expression)].some((text) => text.includes("signers"));
}
