import { sha256 } from "@touchmark/core";
import {
  ARTIFACT,
  mintKey,
  mintWorld,
  type TrustedRootJson,
  trustedRootBytes,
  witnessKey,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { prepareExpectations, readTrustRoot } from "./index.ts";

const { pem } = mintKey();
const artifact = sha256(ARTIFACT);
const identity = { identity: "spiffe://a.example/b", issuer: "https://a.example" };

const bad: readonly (readonly [string, unknown, string])[] = [
  ["EXPECTATION_MISSING", {}, "nothing at all"],
  ["EXPECTATION_MISSING", { artifact }, "neither identity nor key"],
  ["EXPECTATION_MISSING", identity, "no artifact"],
  ["EXPECTATION_MISSING", { artifact, identity: "spiffe://a.example/b" }, "an identity without issuer"],
  ["EXPECTATION_MISSING", { artifact, issuer: "https://a.example" }, "an issuer without identity"],
  ["EXPECTATION_CONFLICT", { artifact, ...identity, identityPattern: ".*" }, "identity and pattern"],
  ["EXPECTATION_CONFLICT", { artifact, ...identity, key: pem }, "identity and key"],
  ["EXPECTATION_CONFLICT", { artifact, key: pem, issuer: "https://a.example" }, "key and issuer"],
  ["EXPECTATION_CONFLICT", { artifact, ...identity, keyHint: "k" }, "a hint without key"],
  ["EXPECTATION_CONFLICT", { artifact, ...identity, keyValidFrom: "2026-01-01T00:00:00Z" }, "a window without key"],
  ["EXPECTATION_INVALID", { artifact: "sha256:00", ...identity }, "a digest that is none"],
  ["EXPECTATION_INVALID", { artifact, ...identity, identity: "" }, "an empty identity"],
  ["EXPECTATION_INVALID", { artifact, issuer: "i", identityPattern: "(" }, "a pattern that is none"],
  ["EXPECTATION_INVALID", { artifact, ...identity, logThreshold: 0 }, "a threshold of zero"],
  ["EXPECTATION_INVALID", { artifact, ...identity, timestampThreshold: 1.5 }, "a threshold that is not whole"],
  ["EXPECTATION_INVALID", { artifact, ...identity, logThreshold: "2" }, "a threshold as text"],
  ["EXPECTATION_INVALID", { artifact, ...identity, allowLogTime: "yes" }, "a switch as text"],
  ["EXPECTATION_INVALID", { artifact, ...identity, predicatetype: "x" }, "an unknown name"],
  ["EXPECTATION_INVALID", { artifact, key: "no PEM" }, "a key that is none"],
  ["EXPECTATION_INVALID", { artifact, key: mintKey("rsa1024").pem }, "a key that is too short"],
  ["EXPECTATION_INVALID", { artifact, key: pem, keyValidFrom: "yesterday" }, "a time that is none"],
  [
    "EXPECTATION_INVALID",
    { artifact, key: pem, keyValidFrom: "2026-01-02T00:00:00Z", keyValidUntil: "2026-01-01T00:00:00Z" },
    "a window that ends before it starts",
  ],
  ["WITNESS_POLICY_MALFORMED", { artifact, ...identity, witnessPolicy: "quorum x" }, "a policy that is none"],
  ["EXPECTATION_INVALID", { artifact, ...identity, witnessPolicy: "" }, "an empty policy"],
];

test.each(bad)("V2: %s: %j: %s", (code, expectations) => {
  expect(() => prepareExpectations(expectations as never)).toThrow(
    expect.objectContaining({ code, nature: "invalid" }),
  );
});

test("V2: expectations that were prepared are taken as they are, and their like is not", () => {
  const ready = prepareExpectations({ artifact, ...identity });
  expect(prepareExpectations(ready)).toBe(ready);
  expect(() => prepareExpectations({ ...ready })).toThrow(expect.objectContaining({ code: "EXPECTATION_INVALID" }));
});

const world = mintWorld();
const roots: readonly (readonly [string, (root: TrustedRootJson) => unknown])[] = [
  ["TRUSTED_ROOT_VERSION_UNKNOWN", (root) => (root.mediaType = "application/json")],
  ["TRUSTED_ROOT_UNKNOWN_FIELD", (root) => Object.assign(root, { more: 1 })],
  ["TRUSTED_ROOT_MALFORMED", (root) => Object.assign(root.tlogs[0] as object, { hashAlgorithm: "SHA2_512" })],
  ["TRUSTED_ROOT_MALFORMED", (root) => Object.assign(root.tlogs[0]?.publicKey as object, { validFor: {} })],
  [
    "TRUSTED_ROOT_MALFORMED",
    (root) => Object.assign(root.tlogs[0]?.publicKey.validFor as object, { end: "2026-02-30" }),
  ],
  [
    "TRUSTED_ROOT_MALFORMED",
    (root) => Object.assign(root.certificateAuthorities[0]?.certChain as object, { certificates: [] }),
  ],
  ["TRUST_ROOT_INVALID", (root) => Object.assign(root.tlogs[0]?.publicKey as object, { rawBytes: "AAAA" })],
  [
    "TRUST_ROOT_INVALID",
    (root) => Object.assign(root.tlogs[0]?.publicKey as object, { keyDetails: "PKIX_ECDSA_P256_SHA_256" }),
  ],
  ["TRUST_ROOT_INVALID", (root) => root.certificateAuthorities[0]?.certChain.certificates.reverse()],
];

test.each(roots)("V2: %s: an unusable trusted root is an error, whatever the bundle", (code, change) => {
  const bytes = trustedRootBytes(world, (root) => void change(root));
  expect(() => readTrustRoot(bytes)).toThrow(expect.objectContaining({ code, nature: "invalid" }));
});

test("V2: a trusted root that is no JSON, or says a thing twice, is an error", () => {
  expect(() => readTrustRoot(Buffer.from("{"))).toThrow(
    expect.objectContaining({ code: "JSON_MALFORMED", nature: "invalid" }),
  );
  const twice = Buffer.from(trustedRootBytes(world)).toString().replace('"ctlogs":', '"ctlogs":[],"ctlogs":');
  expect(() => readTrustRoot(Buffer.from(twice))).toThrow(
    expect.objectContaining({ code: "JSON_DUPLICATE_KEY", nature: "invalid" }),
  );
});

test("V10: a witness that is a member of two groups makes no policy", () => {
  const lines = world.witnesses.map((witness, i) => `witness w${i + 1} ${witnessKey(witness)}\n`).join("");
  const witnessPolicy = `${lines}group a any w1 w2\ngroup b any w1 w3\ngroup both all a b\nquorum both\n`;
  expect(() => prepareExpectations({ artifact, ...identity, witnessPolicy })).toThrow(
    expect.objectContaining({ code: "WITNESS_POLICY_MALFORMED", nature: "invalid" }),
  );
});
