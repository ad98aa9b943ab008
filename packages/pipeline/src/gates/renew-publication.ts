import type { Digest } from "@touchmark/core";
import { attestId } from "@touchmark/identity";
import { type AttestReport, signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import { evidenceHere, type PoliciesInForce } from "../policy/index.ts";
import { askGate } from "./ask-gate.ts";
import { gateErrors } from "./errors.ts";
import { chainLevels } from "./publish-gate.ts";
import { localCaller } from "./request-facts.ts";

/**
 * Asks the gate of publication about an artifact of this factory again, by the policies and on the evidence of now;
 * signed, logged, and found by the gates after it. SPEC GT5.
 * @throws GATE_REFUSED | GATE_DECISION_MISSING
 */
export async function renewPublication(
  factory: Factory,
  policies: PoliciesInForce,
  artifact: { readonly name: string; readonly digest: Digest; readonly target?: string },
): Promise<AttestReport> {
  const { name, digest, target } = artifact;
  const { statements, chains, refused, broken } = await evidenceHere(factory, digest);
  const [chain] = chains;
  if (chain === undefined) {
    const why = broken === undefined ? "none" : `${broken.message} (${broken.code})`;
    throw gateErrors.make("GATE_DECISION_MISSING", `expected a chain that leads to ${name}, found ${why}`);
  }
  const { run, project, pipeline, insecureOptions } = chain;
  const { statement, refusal } = askGate(factory, policies, {
    point: "publish",
    subject: { name: target ?? chain.artifact.name, digest },
    facts: {
      ...{ run, project, pipeline, insecureOptions, caller: localCaller() },
      artifact: { name: chain.artifact.name, kind: kindOf(chain.statements) },
      ...(target === undefined ? {} : { target }),
    },
    ...{ evidence: statements, chains, refused },
    verifier: attestId(factory.names().trustDomain),
    resourceUri: target === undefined ? `touchmark:project/${project}/artifact/${name}` : `oci://${target}`,
    levels: chainLevels(chain),
  });
  const report = await signAttestation(factory, statement);
  if (refusal !== undefined) throw refusal;
  return report;
}

const kindOf = (statements: readonly { readonly predicateType: string }[]): string =>
  statements.some(({ predicateType }) => predicateType.endsWith("/image/v1")) ? "image" : "file";
