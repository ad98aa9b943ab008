import type { Statement } from "@touchmark/formats/evidence";
import { type Predecessor, sourceSubject, statementOf } from "@touchmark/formats/predicates";
import { nodeId, selfClaimedNode } from "@touchmark/identity";
import { chainOf, type RunFacts } from "./run-facts.ts";

/** What is known of the machine, and what that knowledge is worth. Signed as the node. */
export async function nodeStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
): Promise<Statement<unknown>> {
  const attestor = selfClaimedNode({ trustDomain: facts.trustDomain, clock: { now: facts.now } });
  return statementOf("node-attestation", [sourceSubject(facts.source)], {
    ...chainOf(facts, predecessors),
    node: nodeId(facts.trustDomain),
    ...(await attestor.attest()),
  });
}
