import { isDigest } from "@touchmark/core";
import { attestId } from "@touchmark/identity";
import { type AttestReport, signAttestation } from "../attest.ts";
import type { Factory } from "../factory.ts";
import type { DecidedHere } from "../policy/decide-here.ts";
import { decisionStatement } from "../policy/decision-statement.ts";
import { productVersion } from "../version.ts";

/** Signs a recorded decision of the admission gate as a verification summary, passed or not; logged and kept. */
export async function signAdmission(
  factory: Factory,
  decided: DecidedHere,
  environment: string | undefined,
): Promise<AttestReport> {
  const { name } = decided.decision.subject;
  const artifact = isDigest(name) ? `touchmark:artifact/${name}` : `oci://${name.replace(/^factory:/, "factory/")}`;
  const statement = decisionStatement(decided, {
    verifier: attestId(factory.names().trustDomain),
    version: productVersion,
    resourceUri: environment === undefined ? artifact : `touchmark:environment/${environment}`,
    levels: ["TOUCHMARK_DEPLOYMENT_ADMITTED"],
  });
  return signAttestation(factory, statement);
}
