import { createReadStream, readFileSync } from "node:fs";
import { type Digest } from "@touchmark/core";
import { beginDetached, readSignature } from "@touchmark/formats/openpgp";
import { upstreamErrors } from "./errors.ts";
import type { Asking, EvidenceQuestion, Found } from "./evidence.ts";
import { hashOf } from "./file-hash.ts";
import { verifyAttestation } from "./sigstore.ts";
import type { KindTrust } from "./trust.ts";
import { signersOf } from "./trust-rules.ts";

const beside = (question: EvidenceQuestion, ending: string): URL => {
  const url = new URL(question.url);
  url.pathname += ending;
  return url;
};

/**
 * Verifies the OpenPGP signature beside a file of a Maven repository. Where signers are named, the key must be named for
 * this package; a keyring without names speaks for every package. To name a key is to pin it: many keys of Maven's world
 * have self-signatures over SHA-1, and count only so.
 * @throws OPENPGP_* | UPSTREAM_SIGNER_UNEXPECTED
 */
export async function checkMavenSignature(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const { keyring, rules } = trust;
  if (keyring === undefined) return "no keyring is named for Maven signatures";
  const bytes = await asking.file(beside(question, ".asc"));
  if (bytes === undefined) return "the repository has no signature of this file";
  const named = signersOf(rules, question.facts.purl).flatMap(({ fingerprints }) => fingerprints);
  const verification = beginDetached(keyring, readSignature(bytes), now, named);
  for await (const chunk of createReadStream(question.path)) verification.update(chunk as Uint8Array);
  const { signers } = verification.finish();
  const signer =
    rules.signers.length === 0 ? signers[0] : signers.find((each) => named.includes(each.primaryFingerprint));
  if (signer === undefined) {
    const found = signers.map((each) => each.primaryFingerprint.toUpperCase()).join(", ");
    throw upstreamErrors.make(
      "UPSTREAM_SIGNER_UNEXPECTED",
      `expected a key that is named for ${question.facts.name ?? "this file"}, found ${found}`,
    );
  }
  const by = signer.userId === undefined ? "" : ` (${signer.userId})`;
  return {
    signer: signer.primaryFingerprint.toUpperCase(),
    message: `signed at ${signer.created.toISOString()} by ${signer.algorithm}${by}`,
  };
}

/** Verifies the Sigstore bundle beside a file of a Maven repository. @throws what our verifier throws | UPSTREAM_* */
export async function checkMavenBundle(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const bytes = await asking.file(beside(question, ".sigstore.json"));
  if (bytes === undefined) return "the repository has no bundle of this file";
  const digest: Digest = `sha256:${await hashOf(question, "sha256")}`;
  const artifact = { digest, read: () => readFileSync(question.path) };
  const attested = verifyAttestation(bytes, trust, question.facts.purl, artifact, now);
  const named = attested.rule === undefined ? "; no signer is named for this package" : "";
  return { signer: attested.identity, message: `bundle holds${named}`, says: { issuer: attested.issuer } };
}
