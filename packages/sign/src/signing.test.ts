import { createPublicKey, generateKeyPairSync, sign, verify, X509Certificate } from "node:crypto";
import { canonicalJson, leafHash, sha256, sha256Bytes, verifyInclusion } from "@touchmark/core";
import {
  openCheckpoint,
  PAYLOAD_TYPE,
  parseBundle,
  parseLogEntryBody,
  preAuthEncoding,
} from "@touchmark/formats/evidence";
import { type FactoryFixture, factoryFixture, sampleStatement } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LogWitness, type Signer, signStatement, signStatements } from "./index.ts";

let factory: FactoryFixture;
let signer: Signer;
beforeAll(async () => {
  factory = await factoryFixture();
  signer = await factory.identity.newSigner({ spiffeId: "spiffe://factory.example/builder" });
});
afterAll(() => factory.dispose());

const request = (log: LogWitness = factory.log, subject = "hello") => ({
  statement: sampleStatement(subject),
  signer,
  log,
  timestamp: factory.identity.timestampAuthority,
});

test("G1: a bundle has one certificate, one signature, one proven entry and one time-stamp", async () => {
  const signed = await signStatement(request());
  expect(signed.digest).toBe(sha256(signed.bytes));
  const bundle = parseBundle(signed.bytes);
  expect(bundle.version).toBe("0.3");
  expect(bundle.keyMaterial).toMatchObject({ kind: "certificate", others: [] });
  expect(bundle.timestamps).toHaveLength(1);
  expect(bundle.logEntries).toHaveLength(1);
  const [entry] = bundle.logEntries;
  const proof = entry?.inclusionProof;
  if (entry === undefined || proof === undefined) throw new Error("expected a proof");
  expect(entry).toMatchObject({ kind: "hashedrekord", version: "0.0.2", integratedTime: 0, logIndex: signed.logIndex });
  verifyInclusion(proof.logIndex, proof.treeSize, leafHash(entry.canonicalizedBody), proof.hashes, proof.rootHash);
  const checkpoint = openCheckpoint(proof.checkpoint, { log: factory.log.signer });
  expect(checkpoint).toMatchObject({ size: proof.treeSize, origin: "log.factory.example" });
  expect(Buffer.from(checkpoint.root)).toEqual(Buffer.from(proof.rootHash));
});

test("G2: the signature covers the encoding of the canonical statement, and the entry records its digest", async () => {
  const bundle = parseBundle((await signStatement(request())).bytes);
  if (bundle.content.kind !== "envelope") throw new Error("expected an envelope");
  const { payload, payloadType, signatures } = bundle.content;
  expect(payloadType).toBe(PAYLOAD_TYPE);
  expect(Buffer.from(payload).toString()).toBe(canonicalJson(sampleStatement("hello")));
  expect(signatures).toHaveLength(1);
  const message = preAuthEncoding(payloadType, payload);
  const key = new X509Certificate(signer.certificate).publicKey;
  expect(verify("sha256", message, key, signatures[0]?.sig ?? new Uint8Array())).toBe(true);
  const entry = bundle.logEntries[0];
  const record = parseLogEntryBody("hashedrekord", "0.0.2", entry?.canonicalizedBody ?? new Uint8Array());
  expect(Buffer.from(record.digest?.value ?? [])).toEqual(Buffer.from(sha256Bytes(message)));
});

test("G3: profile v1 carries the log's promise, and a log that gives none is refused", async () => {
  const bundle = parseBundle((await signStatement({ ...request(), profile: "v1" })).bytes);
  const [entry] = bundle.logEntries;
  expect(entry).toMatchObject({ kind: "dsse", version: "0.0.1" });
  expect(entry?.integratedTime).toBeGreaterThan(1_700_000_000);
  const body = Buffer.from(entry?.canonicalizedBody ?? []).toString("base64");
  const promise = canonicalJson({
    body,
    integratedTime: entry?.integratedTime,
    logID: Buffer.from(entry?.logId ?? []).toString("hex"),
    logIndex: entry?.logIndex,
  });
  const logKey = createPublicKey(factory.log.compatible.signer.publicKey.export({ format: "pem", type: "spki" }));
  expect(verify("sha256", Buffer.from(promise), logKey, entry?.signedEntryTimestamp ?? new Uint8Array())).toBe(true);
  const withoutPromise: LogWitness = { append: (entryBody) => factory.log.append(entryBody) };
  await expect(signStatement({ ...request(withoutPromise), profile: "v1" })).rejects.toMatchObject({
    code: "LOG_PROMISE_MISSING",
  });
});

test("G4: a proof of another entry is refused", async () => {
  const lying: LogWitness = { append: async () => factory.log.append(Buffer.from("another entry")) };
  await expect(signStatement(request(lying))).rejects.toMatchObject({ code: "LOG_INCLUSION_WRONG" });
});

test.each([
  ["another type", { _type: "https://in-toto.io/Statement/v0.1" }],
  ["no URI as predicate type", { predicateType: "provenance" }],
  ["no subject", { subject: [] }],
  ["a subject without digest", { subject: [{ name: "x", digest: {} }] }],
  ["a subject with SHA-1 alone", { subject: [{ name: "x", digest: { sha1: "a".repeat(40) } }] }],
])("G5: a statement with %s is not signed", async (_, change) => {
  const before = factory.log.entries.length;
  const statement = { ...sampleStatement("x"), ...change } as ReturnType<typeof sampleStatement>;
  await expect(signStatement({ ...request(), statement })).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
  expect(factory.log.entries).toHaveLength(before);
});

test("G6: statements signed together reach the log together and come back in order", async () => {
  const waiting: (() => void)[] = [];
  const batching: LogWitness = {
    append: async (body) => {
      // Answers nobody until all five are here: signing one after the other would never end.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 5) for (const each of waiting) each();
      });
      return factory.log.append(body);
    },
  };
  const subjects = ["a", "b", "c", "d", "e"];
  const signed = await signStatements(subjects.map((subject) => request(batching, subject)));
  const names = signed.map(({ bytes }) => {
    const { content } = parseBundle(bytes);
    return content.kind === "envelope" ? Buffer.from(content.payload).toString() : "";
  });
  expect(names).toEqual(subjects.map((subject) => canonicalJson(sampleStatement(subject))));
});

test("G7: when one of several fails its failure is thrown", async () => {
  const broken: Signer = { certificate: signer.certificate, sign: () => Promise.reject(new Error("no key")) };
  await expect(signStatements([request(), { ...request(), signer: broken }])).rejects.toThrow("no key");
});

test("G1: any P-256 signer serves, not only the factory's", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const own: Signer = { certificate: signer.certificate, sign: async (bytes) => sign("sha256", bytes, privateKey) };
  const { content } = parseBundle((await signStatement({ ...request(), signer: own })).bytes);
  expect(content.kind).toBe("envelope");
});
