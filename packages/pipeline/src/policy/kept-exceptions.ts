import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, sha256 } from "@touchmark/core";
import type { PolicyException } from "@touchmark/formats/policy";
import { exceptionSignerProblem } from "@touchmark/policy";
import { writeFileAtomically } from "@touchmark/store";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";
import { policyPlaces } from "./policy-place.ts";
import { readSigned } from "./signed-documents.ts";

/** An exception that this home keeps. Whether it counts for a decision is the decision's to say. */
export interface KeptException {
  readonly bundle: Digest;
  readonly exception: PolicyException;
  readonly signer: string;
}

/**
 * Keeps a signed exception. SPEC PO6.
 * @throws POLICY_EXCEPTION_REFUSED when nobody whom it names signed it, or who asked for it; and what verifying throws
 */
export async function keepException(factory: Factory, bundle: Uint8Array): Promise<KeptException> {
  const { predicate, signer } = await readSigned(factory, bundle, "exception");
  const { expires, id } = predicate.content;
  assertMayGrant(predicate.content, signer);
  if (Date.parse(expires) <= factory.clock.now().getTime()) {
    throw homePolicyErrors.make("POLICY_EXCEPTION_REFUSED", `exception ${id}: it expired ${expires}`);
  }
  const digest = sha256(bundle);
  const { exceptions } = policyPlaces(factory);
  mkdirSync(exceptions, { recursive: true, mode: 0o700 });
  writeFileAtomically(join(exceptions, `${digestHex(digest)}.sigstore.json`), Buffer.from(bundle).toString("utf8"));
  return { bundle: digest, exception: predicate.content, signer };
}

/** Refuses a signature that no decision would count. @throws POLICY_EXCEPTION_REFUSED */
export function assertMayGrant(exception: PolicyException, signer: string): void {
  const problem = exceptionSignerProblem(exception, signer);
  if (problem === undefined) return;
  const { id, approvers, requester } = exception;
  throw homePolicyErrors.make(
    "POLICY_EXCEPTION_REFUSED",
    `exception ${id}: ${problem}: ${requester} asked for it, expected ${approvers.join(" | ")}, found ${signer}`,
  );
}
