import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyDocumentText, readPolicyDocument } from "@touchmark/formats/policy";
import { policyDocumentExamples } from "@touchmark/formats/policy-documents";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Factory, openFactory } from "../factory.ts";
import { readSigned, signPolicyDocument } from "./index.ts";
import { person } from "./policy.fixture.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-sign-policy-")));
let factory: Factory;
let ada: Awaited<ReturnType<typeof person>>;
let grace: Awaited<ReturnType<typeof person>>;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true });
  ada = await person(factory, "ada");
  grace = await person(factory, "grace");
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

const reading = (document: Parameters<typeof policyDocumentText>[0]) =>
  readPolicyDocument(Buffer.from(policyDocumentText(document)), { name: "a.yaml" });
const refusal = (code: string) => expect.objectContaining({ code });

test.each(["policy", "layout", "policy-set"] as const)(
  "PO7: a %s is signed whole, as a person or by the home, and its digest is the subject",
  async (kind) => {
    const document = reading(policyDocumentExamples[kind]);
    for (const signer of [undefined, { name: "ada", key: ada.key }]) {
      const { bytes } = await signPolicyDocument(factory, document, signer);
      const signed = await readSigned(factory, bytes, kind);
      expect(signed.signer).toBe(
        signer === undefined ? `spiffe://${factory.names().trustDomain}/attest` : ada.identity,
      );
      expect(signed.predicate).toMatchObject({ document: document.digest, content: document.document });
      expect(signed.verified.statement.subject[0]?.digest).toEqual({ sha256: document.digest.slice(7) });
    }
  },
);

test("PO7: an exception is signed by one whom it names and who did not ask for it, a test by nobody", async () => {
  const exception = { ...policyDocumentExamples.exception, requester: ada.identity, approvers: [grace.identity] };
  const document = reading(exception);
  const { bytes } = await signPolicyDocument(factory, document, { name: "grace", key: grace.key });
  expect((await readSigned(factory, bytes, "exception")).signer).toBe(grace.identity);
  for (const signer of [undefined, { name: "ada", key: ada.key }]) {
    await expect(signPolicyDocument(factory, document, signer)).rejects.toThrow(refusal("POLICY_EXCEPTION_REFUSED"));
  }
  // Named by the last part of an identity, a requester is the requester all the same.
  const short = reading({ ...exception, requester: "grace" });
  await expect(signPolicyDocument(factory, short, { name: "grace", key: grace.key })).rejects.toThrow(
    refusal("POLICY_EXCEPTION_REFUSED"),
  );
  await expect(signPolicyDocument(factory, reading(policyDocumentExamples["policy-test"]))).rejects.toThrow(
    refusal("POLICY_DOCUMENT_KIND"),
  );
});
