import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ask, forgeBundle, kindTrust, provenanceOf, repository, statement, workflow } from "./attested.fixture.ts";
import { questionAbout, type TestService, testService } from "./evidence.fixture.ts";

const bytes = "bytes of a wheel";
const fileName = "own_one-1.0-py3-none-any.whl";
const publish = "https://docs.example/attestations/publish/v1";
const trust = { "pypi-attestation": kindTrust() };
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());

const question = () => {
  const url = `${service.url}files/${fileName}`;
  const attestations = `${service.url}integrity/own-one/1.0/${fileName}/provenance`;
  const announced = [{ url, ecosystem: "pypi", kind: "archive", fileName, digests: [], attestations }] as const;
  return questionAbout("pypi", url, bytes, {
    name: "own-one",
    version: "1.0",
    purl: "pkg:pypi/own-one@1.0",
    announced,
  });
};

interface BundleShape {
  readonly verificationMaterial: { readonly certificate: { readonly rawBytes: string }; readonly tlogEntries: unknown };
  readonly dsseEnvelope: { readonly payload: string; readonly signatures: readonly { readonly sig: string }[] };
}

/** An attestation object: what the index makes of a bundle (PEP 740). */
const attestationOf = (name: string, type: string, predicate: unknown = null, body = bytes): unknown => {
  const made = forgeBundle({ statement: statement(name, body, type, predicate), profile: "v1", timestamps: [] });
  const { verificationMaterial, dsseEnvelope } = made as BundleShape;
  return {
    version: 1,
    verification_material: {
      certificate: verificationMaterial.certificate.rawBytes,
      transparency_entries: verificationMaterial.tlogEntries,
    },
    envelope: { statement: dsseEnvelope.payload, signature: dsseEnvelope.signatures[0]?.sig },
  };
};

const serve = (
  attestations: readonly unknown[],
  publisher: unknown = { kind: "Forge", repository: "own/one" },
): void => {
  const document = { version: 1, attestation_bundles: [{ publisher, attestations }] };
  service.answers.set(`/integrity/own-one/1.0/${fileName}/provenance`, JSON.stringify(document));
};

test("U4: a publish attestation and provenance are verified as bundles", async () => {
  serve([
    attestationOf(fileName, publish),
    attestationOf(fileName, "https://slsa.dev/provenance/v1", provenanceOf(repository)),
  ]);
  expect(await ask(question(), trust)).toMatchObject({ outcome: "verified", signer: workflow, says: { repository } });
});

test("U4: another file, digest, publisher or predicate is refused, and nothing is absent", async () => {
  expect(await ask(question(), trust)).toMatchObject({ outcome: "absent" });
  serve([]);
  expect(await ask(question(), trust)).toMatchObject({ outcome: "absent" });
  serve([attestationOf("own_one-1.1-py3-none-any.whl", publish)]);
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_SUBJECT_MISMATCH" });
  serve([attestationOf(fileName, publish, null, "other bytes")]);
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_SUBJECT_MISMATCH" });
  serve([attestationOf(fileName, publish)], { kind: "Forge", repository: "own/on" });
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_REPOSITORY_MISMATCH" });
  serve([attestationOf(fileName, "https://docs.example/vulnerabilities/v1")]);
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_PREDICATE_UNEXPECTED" });
  serve([{ version: 2 }]);
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
  serve([{ version: 1, verification_material: {}, envelope: {} }]);
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
  service.answers.set(`/integrity/own-one/1.0/${fileName}/provenance`, 500);
  expect(await ask(question(), trust)).toMatchObject({ outcome: "unreachable" });
});

test("U4: an index cannot send the factory to another service", async () => {
  const plain = question();
  const announced = plain.announced.map((each) => ({
    ...each,
    attestations: "http://169.254.169.254/latest/provenance",
  }));
  const get = () => expect.unreachable();
  expect(await ask({ ...plain, announced, get }, trust)).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED", from: [] });
});
