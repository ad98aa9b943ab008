import type { KeyObject } from "node:crypto";
import { type PolicyDocumentKind, type PolicyReading, policyDocumentErrors } from "@touchmark/formats/policy";
import { statementOf, subjectOf } from "@touchmark/formats/predicates";
import { attestId, userId } from "@touchmark/identity";
import { type AttestReport, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { signAsUser } from "../people/index.ts";
import { assertMayGrant } from "./kept-exceptions.ts";

/** Documents that somebody answers for. */
export type SignableKind = Exclude<PolicyDocumentKind, "policy-test">;

/**
 * Signs a document whole, with its digest as the subject: as a person with the person's own key, or as `attest`. SPEC PO7.
 * @throws POLICY_DOCUMENT_KIND for a test | POLICY_EXCEPTION_REFUSED | and as `signAsUser`
 */
export async function signPolicyDocument(
  factory: Factory,
  reading: PolicyReading,
  person?: { readonly name: string; readonly key: KeyObject },
): Promise<AttestReport> {
  const { kind, document, digest, name } = reading;
  if (kind === "policy-test") {
    const text = `${name}: expected a policy, layout, exception or set, found a test, which nobody answers for`;
    throw policyDocumentErrors.make("POLICY_DOCUMENT_KIND", text);
  }
  const { trustDomain } = factory.names();
  const signer = person === undefined ? attestId(trustDomain) : userId(trustDomain, person.name);
  if (kind === "exception") assertMayGrant(document, signer);
  const chain = { run: "policy", createdAt: timeOf(factory.clock.now()), predecessors: [] };
  const subject = [subjectOf("id" in document ? document.id : document.name, digest)];
  const signed = { ...chain, document: digest };
  const statement =
    kind === "policy"
      ? statementOf("policy", subject, { ...signed, content: document })
      : kind === "layout"
        ? statementOf("layout", subject, { ...signed, content: document })
        : kind === "exception"
          ? statementOf("exception", subject, { ...signed, content: document })
          : statementOf("policy-set", subject, { ...signed, content: document });
  return person === undefined
    ? signAttestation(factory, statement)
    : signAsUser(factory, person.name, person.key, statement);
}
