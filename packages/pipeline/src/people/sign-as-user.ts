import { type KeyObject, sign } from "node:crypto";
import type { Statement } from "@touchmark/formats/evidence";
import { assertMayAttest } from "@touchmark/formats/predicates";
import { userCertifier, userId } from "@touchmark/identity";
import { signStatement } from "@touchmark/sign";
import { type AttestReport, keepBundle } from "../attest.ts";
import type { Factory } from "../factory.ts";
import { userNamed } from "./enrolment.ts";

/**
 * Signs a statement with a person's own key, as `spiffe://TD/user/NAME`; logs it, and keeps its bundle. The certificate
 * lives minutes, and is issued because the key signed a challenge: having the home is not enough.
 * @throws USER_UNKNOWN | USER_REMOVED | USER_PROOF_WRONG | PREDICATE_RESERVED | PREDICATE_TYPE_UNKNOWN
 */
export async function signAsUser(
  factory: Factory,
  name: string,
  key: KeyObject,
  statement: Statement<unknown>,
): Promise<AttestReport> {
  assertMayAttest(statement.predicateType);
  return signForUser(factory, name, key, statement);
}

/** The same for statements that were judged before. */
export async function signForUser(
  factory: Factory,
  name: string,
  key: KeyObject,
  statement: Statement<unknown>,
): Promise<AttestReport> {
  const user = await userNamed(factory, name);
  const identity = await factory.identityAs("people");
  const certifier = userCertifier({ identity, clock: factory.clock, keyOf: () => user.spki });
  const challenge = certifier.challenge(name);
  const certificate = certifier.certify(name, challenge, sign("sha256", challenge, key));
  const bundle = await signStatement({
    statement,
    signer: { certificate, sign: async (bytes) => sign("sha256", bytes, key) },
    log: await factory.log(),
    timestamp: identity.timestampAuthority,
  });
  await factory.content.put(bundle.bytes);
  const bytes = await keepBundle(factory, bundle.digest);
  const spiffeId = userId(identity.trustDomain, name);
  return { bundle: bundle.digest, identity: spiffeId, logIndex: bundle.logIndex, bytes };
}
