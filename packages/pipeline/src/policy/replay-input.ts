import { type Digest, isFactoryError } from "@touchmark/core";
import type { CelInput, DecisionInput } from "@touchmark/policy";
import type { VerifiedChain } from "@touchmark/verify/chain";
import type { Factory } from "../factory.ts";
import { type DecisionRecord, factsOf } from "./decision-record.ts";
import { homePolicyErrors } from "./errors.ts";
import { evidenceHere, verifyHere } from "./evidence-here.ts";

/**
 * What a recorded decision rested on, from the store and verified again: all of a decision's input but policies and
 * layouts, so that it can be taken again by the same ones or by others. SPEC PO4. @throws POLICY_RECORD_UNREADABLE
 */
export async function replayInput(
  factory: Factory,
  record: DecisionRecord,
): Promise<Omit<DecisionInput, "policies" | "layouts" | "set">> {
  const { decision } = record;
  const bundles = new Map<Digest, Uint8Array>();
  for (const digest of record.evidence) {
    try {
      bundles.set(digest, await factory.content.get(digest));
    } catch (cause) {
      if (!isFactoryError(cause)) throw cause;
      throw homePolicyErrors.make("POLICY_RECORD_UNREADABLE", `the decision rests on ${digest}, which is not stored`, {
        cause,
      });
    }
  }
  const { statements, refused } = await verifyHere(factory, bundles);
  const chains: VerifiedChain[] = [];
  for (const artifact of record.chains) chains.push(...(await evidenceHere(factory, artifact)).chains);
  return {
    point: decision.point,
    subject: decision.subject,
    request: factsOf(record.request) as { readonly [name: string]: CelInput },
    evidence: statements,
    chains,
    refused: new Map([...decision.inputs.refused.map(({ bundle, code }) => [bundle, code] as const), ...refused]),
    parameters: factsOf(record.parameters) as { readonly [name: string]: CelInput },
    now: new Date(decision.at),
    issuer: record.issuer,
  };
}
