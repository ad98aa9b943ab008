import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson, encodeBase64, encodeHex, isFactoryError, sha256Bytes } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodePem,
  dsseRekordBody,
  encodePem,
  hashedRekordBody,
  PAYLOAD_TYPE,
  parseBundle,
  parseLogEntryBody,
  parseStatement,
  parseTrustedRoot,
  preAuthEncoding,
  STATEMENT_TYPE,
  serializeBundle,
  serializeStatement,
  serializeTrustedRoot,
  signedEntryTimestampMessage,
  type TrustedRoot,
} from "./evidence.ts";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((each) => Buffer.from(each));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => Buffer.from(each));
/** The value with bytes as hexadecimal, so that views of different kinds compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return encodeHex(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

test("B1: a bundle that was written is read as it was", () => {
  const entry = fc.record(
    {
      logIndex: fc.nat(),
      logId: hash,
      kind: fc.constant("hashedrekord"),
      version: fc.constant("0.0.2"),
      integratedTime: fc.nat(),
      signedEntryTimestamp: bytes,
      inclusionProof: fc.record({
        logIndex: fc.nat(),
        rootHash: hash,
        treeSize: fc.integer({ min: 1 }),
        hashes: fc.array(hash, { maxLength: 3 }),
        checkpoint: fc.string(),
      }),
      canonicalizedBody: bytes,
    },
    { requiredKeys: ["logIndex", "logId", "kind", "version", "canonicalizedBody"] },
  );
  const bundle = fc.record({
    keyMaterial: fc.oneof(
      fc.record({ kind: fc.constant("certificate" as const), certificate: bytes, others: fc.constant([]) }),
      fc.record({ kind: fc.constant("publicKey" as const), hint: fc.string() }),
    ),
    logEntries: fc.array(entry, { maxLength: 2 }),
    timestamps: fc.array(bytes, { maxLength: 2 }),
    content: fc.oneof(
      fc.record({
        kind: fc.constant("envelope" as const),
        payloadType: fc.string(),
        payload: bytes,
        signatures: fc.array(fc.record({ sig: bytes, keyid: fc.string() }, { requiredKeys: ["sig"] }), {
          maxLength: 2,
        }),
      }),
      fc.record({
        kind: fc.constant("message" as const),
        digestAlgorithm: fc.constant("SHA2_256"),
        digest: hash,
        signature: bytes,
      }),
    ),
  });
  fc.assert(
    fc.property(bundle, (parts) => {
      const read = parseBundle(serializeBundle(parts));
      expect(plain(read)).toEqual(plain({ version: "0.3", ...parts }));
    }),
  );
});

test("B1: whatever the bytes, reading a bundle ends in a bundle or in an error with a code", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        parseBundle(Buffer.from(text));
      } catch (error) {
        expect(isFactoryError(error)).toBe(true);
      }
    }),
  );
});

test("G1: the body of a hashedrekord entry is canonical JSON with the members of Rekor v2", () => {
  fc.assert(
    fc.property(hash, bytes, bytes, (digest, signature, der) => {
      const verifier = { keyDetails: "PKIX_ECDSA_P256_SHA_256", x509Certificate: { rawBytes: encodeBase64(der) } };
      const expected = {
        apiVersion: "0.0.2",
        kind: "hashedrekord",
        spec: {
          hashedRekordV002: {
            data: { algorithm: "SHA2_256", digest: encodeBase64(digest) },
            signature: { content: encodeBase64(signature), verifier },
          },
        },
      };
      const body = hashedRekordBody({ digest, signature, certificate: der });
      expect(Buffer.from(body).toString()).toBe(canonicalJson(expected));
      const record = parseLogEntryBody("hashedrekord", "0.0.2", body);
      expect(plain(record)).toMatchObject({ digest: { algorithm: "sha256", value: encodeHex(digest) } });
      const ofKey = hashedRekordBody({
        digest,
        signature,
        publicKey: der,
        keyDetails: "PKIX_ECDSA_P384_SHA_384",
        digestAlgorithm: "SHA2_384",
      });
      expect(Buffer.from(ofKey).toString()).toBe(canonicalJson(JSON.parse(Buffer.from(ofKey).toString())));
      expect(parseLogEntryBody("hashedrekord", "0.0.2", ofKey).signatures[0]?.verifier.kind).toBe("publicKey");
    }),
  );
});

test("G1: the bodies of dsse 0.0.1 and of signed entry timestamps are canonical JSON", () => {
  const envelope = { payloadType: PAYLOAD_TYPE, payload: Buffer.from("{}"), signatures: [{ sig: Buffer.from("s") }] };
  const body = dsseRekordBody({ envelope, certificate: Buffer.from("certificate") });
  expect(Buffer.from(body).toString()).toBe(canonicalJson(JSON.parse(Buffer.from(body).toString())));
  const record = parseLogEntryBody("dsse", "0.0.1", body);
  expect(plain(record)).toMatchObject({
    payloadDigest: { algorithm: "sha256", value: encodeHex(sha256Bytes("{}")) },
    signatures: [{ verifier: { kind: "certificate", der: encodeHex(Buffer.from("certificate")) } }],
  });
  const message = signedEntryTimestampMessage({
    canonicalizedBody: body,
    integratedTime: 1,
    logId: Buffer.alloc(32),
    logIndex: 2,
  });
  const text = Buffer.from(message).toString();
  expect(text).toBe(
    canonicalJson({ body: encodeBase64(body), integratedTime: 1, logID: "00".repeat(32), logIndex: 2 }),
  );
});

test("G1: a body is of the kind that it is filed under, of a kind that is known, or refused", () => {
  const body = hashedRekordBody({
    digest: Buffer.alloc(32),
    signature: Buffer.from("s"),
    certificate: Buffer.from("c"),
  });
  const code = (name: string) => expect.objectContaining({ code: name, nature: "refused" });
  expect(() => parseLogEntryBody("hashedrekord", "0.0.1", body)).toThrow(code("LOG_ENTRY_MALFORMED"));
  expect(() => parseLogEntryBody("rpm", "0.0.1", body)).toThrow(code("LOG_ENTRY_KIND_UNKNOWN"));
  expect(() => parseLogEntryBody("constructor", "", body)).toThrow(code("LOG_ENTRY_KIND_UNKNOWN"));
  const more = Buffer.from(Buffer.from(body).toString().replace('"data":', '"more":1,"data":'));
  expect(() => parseLogEntryBody("hashedrekord", "0.0.2", more)).toThrow(code("LOG_ENTRY_MALFORMED"));
});

test("D1: the pre-authentication encoding is that of the DSSE protocol", () => {
  expect(Buffer.from(preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world"))).toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
  expect(Buffer.from(preAuthEncoding("é", Buffer.from("ü"))).toString()).toBe("DSSEv1 2 é 2 ü");
});

test("S1: a statement that was written is read as it was, and what is none has its code", () => {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: "a", digest: { sha256: "0".repeat(64), gitCommit: "abc" }, annotations: { x: [1] } }],
    predicateType: "https://example.com/p/v1",
    predicate: { b: 1, a: null },
  };
  expect(parseStatement(serializeStatement(statement))).toEqual(statement);
  const bad: readonly (readonly [string, object])[] = [
    ["STATEMENT_TYPE_UNKNOWN", { _type: "https://in-toto.io/Statement/v2" }],
    ["STATEMENT_MALFORMED", { subject: [] }],
    ["STATEMENT_MALFORMED", { subject: [{ name: "a" }] }],
    ["STATEMENT_MALFORMED", { subject: [{ digest: {} }] }],
    ["STATEMENT_MALFORMED", { subject: [{ digest: { sha256: "0".repeat(63) } }] }],
    ["STATEMENT_MALFORMED", { predicateType: "" }],
    ["STATEMENT_UNKNOWN_FIELD", { predicates: {} }],
    ["STATEMENT_UNKNOWN_FIELD", { subject: [{ digest: { sha256: "0".repeat(64) }, size: 1 }] }],
  ];
  for (const [code, change] of bad) {
    const altered = Buffer.from(JSON.stringify({ ...statement, ...change }));
    expect(() => parseStatement(altered), code).toThrow(expect.objectContaining({ code, nature: "refused" }));
  }
});

test("R1: a trusted root that was written is read as it was", () => {
  const root: TrustedRoot = {
    logs: [
      {
        baseUrl: "https://log.example",
        publicKey: {
          der: Buffer.from("key"),
          keyDetails: "PKIX_ED25519",
          validFor: { start: new Date("2026-01-01T00:00:00Z"), end: new Date("2027-01-01T00:00:00Z") },
        },
        logId: Buffer.alloc(32, 1),
        operator: "example",
      },
    ],
    certificateAuthorities: [
      {
        subject: { organization: "o", commonName: "c" },
        uri: "https://ca.example",
        certificates: [Buffer.from("a"), Buffer.from("b")],
        validFor: { start: new Date("2026-01-01T00:00:00Z") },
      },
    ],
    certificateLogs: [],
    timestampAuthorities: [],
  };
  expect(plain(parseTrustedRoot(serializeTrustedRoot(root)))).toEqual(plain(root));
});

test("M1: a PEM block has one label and one content", () => {
  const der = Buffer.alloc(100, 7);
  expect(plain(decodePem(encodePem("CERTIFICATE", der)))).toEqual(plain({ label: "CERTIFICATE", der }));
  const twice = encodePem("CERTIFICATE", der).repeat(2);
  for (const text of [
    "",
    twice,
    "-----BEGIN A-----\nAA==\n-----END B-----\n",
    "-----BEGIN A-----\nA\n-----END A-----\n",
  ]) {
    expect(decodePem(text)).toBeUndefined();
  }
});

test("Q1: what evidence needs loads neither a schema nor a YAML library", () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?from\s+"([^"]+)"/gms)) {
      if (name.startsWith(".")) visit(resolve(dirname(file), name));
      else foreign.add(name);
    }
  };
  for (const entry of ["evidence.ts", "predicates/index.ts"]) visit(join(here, entry));
  expect([...foreign].sort()).toEqual(["@touchmark/core", "node:crypto"]);
});
