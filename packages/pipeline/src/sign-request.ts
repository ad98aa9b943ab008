import { nodeStatement } from "./evidence/node-statement.ts";
import { sourceStatement, triggerStatement } from "./evidence/request-statements.ts";
import { signerIds } from "./evidence/run-statements.ts";
import { outcomeOf } from "./gates/gate-outcome.ts";
import { wantsImages } from "./images/run-parts.ts";
import type { RunSession, StepError } from "./run-session.ts";

/**
 * Trigger, then source, node and what the gate says of the request: signed and logged before anything runs. Where images
 * are to be looked up first, the gate is asked with them.
 */
export async function signRequest({ facts, recorder, gates, plan }: RunSession): Promise<StepError | undefined> {
  const builder = signerIds.builder(facts);
  await recorder.record([{ name: "trigger", spiffeId: builder, statement: triggerStatement(facts) }]);
  const asked = wantsImages(plan) ? undefined : await outcomeOf(() => gates.request(undefined));
  await recorder.record([
    { name: "source", spiffeId: builder, statement: sourceStatement(facts, recorder.predecessors("trigger")) },
    {
      name: "node",
      spiffeId: signerIds.node(facts),
      statement: await nodeStatement(facts, recorder.predecessors("trigger")),
    },
    ...(asked?.passed === undefined ? [] : [asked.passed.draft]),
  ]);
  return asked?.refusal;
}
