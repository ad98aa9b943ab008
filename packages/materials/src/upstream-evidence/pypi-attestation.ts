import { decodeBase64, type Json } from "@touchmark/core";
import { BUNDLE_MEDIA_TYPE, PAYLOAD_TYPE } from "@touchmark/formats/evidence";
import { checkSubject } from "./attested-subject.ts";
import { upstreamErrors } from "./errors.ts";
import {
  type Asking,
  type EvidenceQuestion,
  type Found,
  jsonAnswer,
  listMember,
  member,
  textMember,
} from "./evidence.ts";
import { type Attested, statementOf, verifyAttestation } from "./sigstore.ts";
import type { KindTrust } from "./trust.ts";

/** Kinds of statements about distributions (PEP 740), whoever hosts their specification. */
const publishType = /\/attestations\/publish\/v1$/;
const provenanceType = "https://slsa.dev/provenance/v1";
const maxBundles = 16;

const malformed = (why: string): Error =>
  upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", `expected a provenance object: ${why}`);

/**
 * Verifies a provenance object of a Python index (PEP 740): every attestation in it as a Sigstore bundle, about this
 * file, by the publisher that the index names.
 * @throws UPSTREAM_* | what our verifier throws
 */
export async function checkPypiAttestation(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const { fileName } = question.facts;
  const address = question.announced.find((each) => each.fileName === fileName)?.attestations;
  if (fileName === undefined || address === undefined) return "the index announces no provenance of this file";
  const bytes = await asking.file(provenanceAddress(address, question));
  if (bytes === undefined) return "the index has no provenance of this file";
  const document = jsonAnswer(bytes, "a provenance object");
  if (member(document, "version") !== 1) throw malformed("found another version than 1");
  let first: Attested | undefined;
  for (const bundle of listMember(document, "attestation_bundles", maxBundles)) {
    for (const attestation of listMember(bundle, "attestations", maxBundles)) {
      const attested = verifyAttestation(asBundle(attestation), trust, question.facts.purl, "unbound", now);
      const statement = statementOf(attested);
      if (!publishType.test(statement.predicateType) && statement.predicateType !== provenanceType) {
        throw upstreamErrors.make(
          "UPSTREAM_PREDICATE_UNEXPECTED",
          `expected a publish attestation or provenance, found ${statement.predicateType.slice(0, 200)}`,
        );
      }
      await checkSubject(statement, question, (name) => name !== undefined && folded(name) === folded(fileName));
      checkPublisher(member(bundle, "publisher"), attested);
      first ??= attested;
    }
  }
  if (first === undefined) return "the index's provenance of this file is empty";
  const { identity, issuer, repository, rule } = first;
  const named = rule === undefined ? "; no signer is named for this package" : "";
  return {
    signer: identity,
    message: `attestation holds${named}`,
    says: { issuer, ...(repository === undefined ? {} : { repository }) },
  };
}

/** Asked of the index or of the host of the file, and of nobody else: an index must not send us to other services. */
function provenanceAddress(address: string, { facts, url }: EvidenceQuestion): URL {
  const announced = new URL(address);
  if (announced.origin === new URL(facts.upstream.url).origin || announced.origin === url.origin) return announced;
  throw malformed(`found its address at ${announced.origin}, which is neither the index nor the host of the file`);
}

/** An attestation object as the Sigstore bundle that it stands for. */
function asBundle(attestation: Json): Uint8Array {
  if (member(attestation, "version") !== 1) throw malformed("found an attestation of another version than 1");
  const material = member(attestation, "verification_material");
  const envelope = member(attestation, "envelope");
  const [certificate, payload, sig] = [
    textMember(material, "certificate"),
    textMember(envelope, "statement"),
    textMember(envelope, "signature"),
  ];
  if (certificate === undefined || payload === undefined || sig === undefined) {
    throw malformed("found an attestation without certificate, statement or signature");
  }
  for (const text of [certificate, payload, sig]) checkBase64(text);
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      certificate: { rawBytes: certificate },
      tlogEntries: listMember(material, "transparency_entries", maxBundles),
    },
    dsseEnvelope: { payload, payloadType: PAYLOAD_TYPE, signatures: [{ sig }] },
  };
  return Buffer.from(JSON.stringify(bundle));
}

function checkBase64(text: string): void {
  try {
    decodeBase64(text);
  } catch {
    throw malformed("found a value that is not base64");
  }
}

/** Project and wheel names are compared without case, and `-`, `_` and `.` are one (PEP 503). */
function folded(name: string): string {
  return name.toLowerCase().replace(/[-_]+/g, "-");
}

/** Where the index names a publisher with a repository, the signer's certificate must be of that repository. */
function checkPublisher(publisher: Json | undefined, { identity, repository }: Attested): void {
  const named = textMember(publisher, "repository");
  if (named === undefined) return;
  const path = `/${named}/`;
  const addresses = [identity, repository === undefined ? undefined : `${repository}/`].filter(
    (each) => each !== undefined,
  );
  for (const address of addresses) {
    if (URL.canParse(address) && new URL(address).pathname.startsWith(path)) continue;
    throw upstreamErrors.make(
      "UPSTREAM_REPOSITORY_MISMATCH",
      `expected a signer of ${named}, found ${address.slice(0, 200)}`,
    );
  }
}
