import type { Digest } from "@touchmark/core";
import { type AttestReport, signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import type { PoliciesInForce } from "../policy/index.ts";
import { askPublication } from "./ask-publication.ts";

/**
 * Asks the gate of publication about an artifact of this factory again, by the policies and on the evidence of now;
 * signed, logged, and found by the gates after it. SPEC GT5.
 * @throws GATE_REFUSED | GATE_DECISION_MISSING
 */
export async function renewPublication(
  factory: Factory,
  policies: PoliciesInForce,
  { name, digest }: { readonly name: string; readonly digest: Digest },
): Promise<AttestReport> {
  const { answers } = await askPublication(factory, policies, { name, digest });
  const [answer] = answers;
  if (answer === undefined) throw new TypeError("a publication is asked about at least once");
  const report = await signAttestation(factory, answer.statement);
  if (answer.refusal !== undefined) throw answer.refusal;
  return report;
}
