import { createPublicKey, sign } from "node:crypto";
import { canonicalJson, type Digest, digestHex, encodeBase64, sha256 } from "@touchmark/core";
import { PAYLOAD_TYPE, preAuthEncoding, STATEMENT_TYPE, serializeStatement } from "@touchmark/formats/evidence";
import { predicateType, readPredicate, subjectOf } from "@touchmark/formats/predicates";
import type { Factory } from "../factory.ts";
import { evidenceHere } from "../policy/index.ts";
import { reliedPublication } from "./deploy-gate.ts";

/** A verification summary for tools that know only keys. */
export interface CompatibilityVsa {
  /** A bare DSSE envelope, JSON. */
  readonly envelope: Uint8Array;
  /** The long-lived compatibility key of the factory, PEM; to be handed over on another way. */
  readonly publicKey: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, as the envelope names it. */
  readonly keyId: string;
  readonly verifier: string;
  readonly resourceUri: string;
  readonly levels: readonly string[];
}

/**
 * Says again, under the factory's long-lived compatibility key, what its gate decided about a publication: for
 * `slsa-verifier verify-vsa` and others that take a PEM key. It has no certificate, no time and no log entry, and
 * nothing of ours ever counts it. SPEC GT7.
 * @throws GATE_DECISION_…
 */
export async function compatibilityVsa(
  factory: Factory,
  artifact: { readonly name: string; readonly digest: Digest },
): Promise<CompatibilityVsa> {
  const { statements } = await evidenceHere(factory, artifact.digest);
  const { bundle } = reliedPublication(factory, artifact, { statements });
  const decided = statements.find((each) => each.bundle === bundle);
  if (decided === undefined) throw new TypeError("a decision that is relied on is among the evidence");
  const { touchmark_chain: _, ...summary } = readPredicate("verification-summary", decided.statement.predicate);
  const payload = serializeStatement({
    _type: STATEMENT_TYPE,
    subject: [subjectOf(artifact.name, artifact.digest)],
    predicateType: predicateType("verification-summary"),
    predicate: { ...summary, inputAttestations: [{ digest: { sha256: digestHex(bundle) } }] },
  });
  const { compatibilityKey } = await factory.attestIdentity();
  const key = createPublicKey(compatibilityKey);
  const keyId = digestHex(sha256(key.export({ format: "der", type: "spki" })));
  const sig = encodeBase64(sign(null, preAuthEncoding(PAYLOAD_TYPE, payload), compatibilityKey));
  const envelope = { payloadType: PAYLOAD_TYPE, payload: encodeBase64(payload), signatures: [{ keyid: keyId, sig }] };
  return {
    envelope: Buffer.from(`${canonicalJson(envelope)}\n`),
    publicKey: key.export({ format: "pem", type: "spki" }) as string,
    keyId,
    verifier: summary.verifier.id,
    resourceUri: summary.resourceUri,
    levels: summary.verifiedLevels,
  };
}
