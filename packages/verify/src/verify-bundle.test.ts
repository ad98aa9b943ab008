import { sha256 } from "@touchmark/core";
import {
  ARTIFACT,
  authorityJson,
  type BundleRecipe,
  logJson,
  mintAuthority,
  mintBundle,
  mintKey,
  mintLeaf,
  mintLog,
  mintStamper,
  mintWorld,
  PREDICATE_TYPE,
  statementOf,
  type TrustedRootJson,
  trustedRootBytes,
  usages,
  witnessKey,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import {
  type Expectations,
  isTrustRoot,
  isVerified,
  prepareExpectations,
  readTrustRoot,
  verifyAuthenticationCertificate,
  verifyBundle,
  verifyEvidence,
} from "./index.ts";

const world = mintWorld();
const root = (change?: (json: TrustedRootJson) => void) => readTrustRoot(trustedRootBytes(world, change));
const base: Expectations = {
  artifact: sha256(ARTIFACT),
  identity: world.identity,
  issuer: world.issuer,
  now: world.at,
};
const withCode = (code: string, nature = "refused") => expect.objectContaining({ code, nature });

function accepts(
  recipe: BundleRecipe,
  expectations: Partial<Expectations> = {},
  change?: (json: TrustedRootJson) => void,
) {
  return verifyEvidence(mintBundle(world, recipe).bytes, root(change), { ...base, ...expectations });
}

test("V1: what comes out of verification is verified, and no copy of it is", () => {
  const verified = verifyBundle(mintBundle(world).bytes, root(), base);
  expect(isVerified(verified)).toBe(true);
  expect(isVerified({ ...verified })).toBe(false);
  expect(isVerified(null)).toBe(false);
  expect(Object.isFrozen(verified)).toBe(true);
  expect(verified).toMatchObject({
    kind: "statement",
    bundleVersion: "0.3",
    artifact: sha256(ARTIFACT),
    signer: { kind: "certificate", identity: world.identity, issuer: world.issuer },
    times: [{ at: world.at, source: "timestamp" }],
    logEntries: [{ origin: world.log.origin, logIndex: 5, treeSize: 9, kind: "hashedrekord", version: "0.0.2" }],
    statement: { predicateType: PREDICATE_TYPE },
  });
  expect(verified.notChecked).toContain("whether witnesses saw the same log");
});

test("V1: a trusted root is only what was read as one", () => {
  const trustRoot = root();
  expect(isTrustRoot(trustRoot)).toBe(true);
  expect(() => verifyBundle(mintBundle(world).bytes, { ...trustRoot }, base)).toThrow(
    withCode("EXPECTATION_INVALID", "invalid"),
  );
});

test("V3: the four spellings of the version, zeros left out and null members are accepted", () => {
  for (const mediaType of ["bundle+json;version=0.1", "bundle+json;version=0.2", "bundle+json;version=0.3"]) {
    accepts({ edit: (bundle) => (bundle.mediaType = `application/vnd.dev.sigstore.${mediaType}`) });
  }
  accepts({ edit: (bundle) => (bundle.verificationMaterial.tlogEntries[0].inclusionPromise = null) });
  accepts({ edit: (bundle) => (bundle.verificationMaterial.tlogEntries[0].integratedTime = "0") });
  const first = { ...world.log, leaves: [] };
  accepts({
    entries: [{ log: first }],
    edit: (bundle) => {
      const [entry] = bundle.verificationMaterial.tlogEntries;
      delete entry.logIndex;
      delete entry.inclusionProof.logIndex;
    },
  });
});

test("V3: whatever is no bundle is refused", () => {
  for (const bytes of ["", "null", "[]", "{}", "\u0000", "\ufeff{}", '{"mediaType":1}', "x".repeat(100)]) {
    expect(() => verifyEvidence(Buffer.from(bytes), root(), base), bytes).toThrow(
      expect.objectContaining({ nature: "refused" }),
    );
  }
});

test("V4: one subject of a thousand is enough, and a statement of the older type is read", () => {
  const subject = Array.from({ length: 1000 }, (_, i) => ({
    name: `f${i}`,
    digest: { sha256: sha256(`${i}`).slice(7) },
  }));
  subject[777] = { name: "artifact", digest: { sha256: sha256(ARTIFACT).slice(7) } };
  accepts({ statement: { ...statementOf(ARTIFACT), subject } });
  accepts({ statement: { ...statementOf(ARTIFACT), _type: "https://in-toto.io/Statement/v0.1" } });
});

test("V4: a large predicate is verified like a small one", () => {
  accepts({ predicate: { text: "x".repeat(3_000_000) } });
});

test("V4: a signature over the artifact itself is accepted with its bytes, and is no statement", () => {
  const { bytes } = mintBundle(world, { content: "message" });
  const verified = verifyEvidence(bytes, root(), { ...base, artifact: ARTIFACT });
  expect(verified.kind).toBe("signature");
  expect(() => verifyBundle(bytes, root(), { ...base, artifact: ARTIFACT })).toThrow(
    withCode("CONTENT_NOT_A_STATEMENT"),
  );
  expect(() => verifyEvidence(bytes, root(), base)).toThrow(withCode("ARTIFACT_CONTENT_NEEDED", "invalid"));
});

test("V4: an artifact that cannot be read is an error, and no refusal of the bundle", () => {
  const artifact = {
    digest: sha256(ARTIFACT),
    read: () => {
      throw new Error("no such file");
    },
  };
  const { bytes } = mintBundle(world, { content: "message" });
  expect(() => verifyEvidence(bytes, root(), { ...base, artifact })).toThrow(withCode("FILE_UNREADABLE", "invalid"));
});

test("V3: what no other code names is refused too", () => {
  expect(() => verifyEvidence(null as never, root(), base)).toThrow(withCode("EVIDENCE_UNREADABLE"));
});

test("V4: the caller may compare the subjects itself, and the facts say so", () => {
  const verified = accepts({ statement: statementOf(Buffer.from("another")) }, { artifact: "unbound" });
  expect(verified.artifact).toBeUndefined();
  expect(verified.notChecked).toContain("which artifact the statement speaks of");
});

test("V5: keys of P-256, P-384 and RSA sign, and a foreign leaf may have further usages", () => {
  for (const kind of ["p256", "p384", "rsa2048"] as const) accepts({ key: mintKey(kind) });
  accepts({ leaf: { extendedKeyUsage: [usages.serverAuth, usages.clientAuth, usages.codeSigning] } });
});

test("V5: a pure Ed25519 key signs envelopes where the log records the envelope, and authorities may be of other kinds", () => {
  accepts({ key: mintKey("ed25519"), profile: "v1" });
  for (const kind of ["p384", "rsa2048", "ed25519"] as const) {
    const authority = mintAuthority("of another kind", undefined, { key: mintKey(kind) });
    accepts({ authority }, {}, (json) => {
      json.certificateAuthorities = [authorityJson([authority.certificate], "https://ca.example")];
    });
  }
});

test("V5: KEY_MALFORMED: a certificate whose key is no key is refused", () => {
  const key = mintKey();
  const spki = Buffer.from(key.spki);
  spki.fill(0xff, 30);
  expect(() => accepts({ leaf: { key: { ...key, spki } } })).toThrow(withCode("KEY_MALFORMED"));
});

test("V5: an intermediate authority in the bundle leads to the trusted one, and is not trusted itself", () => {
  const parent = mintAuthority("parent", world.root);
  const below = mintAuthority("below", parent);
  const recipe: BundleRecipe = {
    authority: below,
    edit: (bundle) => {
      const { certificate } = bundle.verificationMaterial;
      delete bundle.verificationMaterial.certificate;
      const others = [{ rawBytes: below.certificate.toString("base64") }];
      bundle.verificationMaterial.x509CertificateChain = { certificates: [certificate, ...others] };
    },
  };
  const trustParent = (json: TrustedRootJson) => {
    json.certificateAuthorities = [authorityJson([parent.certificate, world.root.certificate], "https://ca.example")];
  };
  accepts(recipe, {}, trustParent);
  expect(() => accepts(recipe)).toThrow(withCode("CERTIFICATE_NO_PATH"));
});

test("V5: every second chain of the same authority gets its chance", () => {
  accepts({}, {}, (json) => {
    const [good] = json.certificateAuthorities as [(typeof json.certificateAuthorities)[number]];
    json.certificateAuthorities = [
      { ...good, validFor: { start: "2020-01-01T00:00:00Z", end: "2020-01-02T00:00:00Z" } },
      good,
    ];
  });
});

test("V6: a pattern matches the whole name; a name may be an e-mail address", () => {
  accepts({}, { identity: undefined, identityPattern: `spiffe://${world.trustDomain}/project/.*/step/build` });
  accepts({ leaf: { uris: [], emails: ["a@factory.example"] } }, { identity: "a@factory.example" });
  accepts({ leaf: { identityIssuer: null, oldIdentityIssuer: world.issuer } });
});

test("V7: a managed key within its window is accepted, with and without key id", () => {
  const key = mintKey();
  const expected = {
    identity: undefined,
    issuer: undefined,
    key: key.pem,
    keyHint: "production",
    keyValidFrom: world.at.toISOString(),
    keyValidUntil: world.at,
  };
  const verified = accepts({ key, hint: "production" }, expected);
  expect(verified.signer).toMatchObject({ kind: "key", hint: "production" });
  accepts({ key, hint: "production", keyid: "" }, expected);
});

test("V8: two operators meet a threshold of two, and entries of unknown logs do not count", () => {
  const second = mintLog("log.elsewhere.example", mintKey("ed25519"));
  const both = (json: TrustedRootJson) => json.tlogs.push(logJson(second));
  const verified = accepts({ entries: [{}, { log: second }] }, { logThreshold: 2 }, both);
  expect(verified.logEntries.map((entry) => entry.operator)).toEqual(["factory.example", "elsewhere.example"]);
  expect(() => accepts({ entries: [{}, { log: second }] }, { logThreshold: 2 })).toThrow(withCode("LOG_THRESHOLD"));
});

test("V8: the first profile is accepted: dsse 0.0.1, signed entry timestamp, P-256 checkpoint", () => {
  const verified = accepts({ profile: "v1" });
  expect(verified.logEntries).toMatchObject([{ kind: "dsse", version: "0.0.1", integratedTime: world.at }]);
  expect(verified.times.map((time) => time.source)).toEqual(["timestamp"]);
});

test("V8: a log whose key cannot sign checkpoints is named", () => {
  const log = mintLog("big.factory.example", mintKey("p384"));
  expect(() =>
    accepts({ entries: [{ log }] }, {}, (json) => {
      json.tlogs.push({
        ...logJson(log),
        publicKey: { ...logJson(log).publicKey, keyDetails: "PKIX_ECDSA_P384_SHA_384" },
      });
    }),
  ).toThrow(withCode("LOG_KEY_UNSUPPORTED"));
});

test("V9: a checkpoint may carry extension lines and lines of unknown keys", () => {
  const seconds = world.at.getTime() / 1000;
  const cosigners = world.witnesses.map((witness) => ({ ...witness, seconds }));
  accepts({ entries: [{ checkpoint: { extensions: ["anything"], cosigners } }] });
  expect(() => accepts({ entries: [{ checkpoint: { origin: "other.example" } }] })).toThrow(
    withCode("CHECKPOINT_ORIGIN_MISMATCH"),
  );
});

test("V10: a quorum of witnesses is counted by key, and recorded", () => {
  const seconds = world.at.getTime() / 1000;
  const cosigners = world.witnesses.slice(1).map((witness) => ({ ...witness, seconds }));
  const lines = world.witnesses.map((witness, i) => `witness w${i + 1} ${witnessKey(witness)}\n`).join("");
  const verified = accepts(
    { entries: [{ checkpoint: { cosigners } }] },
    { witnessPolicy: `${lines}group two 2 w1 w2 w3\nquorum two\n` },
  );
  expect(verified.logEntries[0]?.cosignatures.map((each) => each.witness)).toEqual(["w2", "w3"]);
});

test("V11: the log's own time counts where it is allowed, and only there", () => {
  expect(accepts({ profile: "v1", timestamps: [] }, { allowLogTime: true }).times).toMatchObject([{ source: "log" }]);
  expect(() => accepts({ timestamps: [] }, { allowLogTime: true })).toThrow(withCode("TIMESTAMP_MISSING"));
});

test("V11: two operators meet a threshold of two; stamps of unknown authorities do not count", () => {
  const parent = mintAuthority("second stamper root");
  const stamper = mintStamper(parent);
  const both = (json: TrustedRootJson) => {
    json.timestampAuthorities.push(
      authorityJson([stamper.certificate, parent.certificate], "https://time.elsewhere.example"),
    );
  };
  accepts({ timestamps: [{}, { stamper }] }, { timestampThreshold: 2 }, both);
  expect(() => accepts({ timestamps: [{}, { stamper }] }, { timestampThreshold: 2 })).toThrow(
    withCode("TIMESTAMP_THRESHOLD"),
  );
});

test("V11: a stamp's signer may come in the bag where the trusted root has its issuer alone", () => {
  const change = (json: TrustedRootJson) => {
    json.timestampAuthorities = [authorityJson([world.stamperRoot.certificate], "https://time.factory.example")];
  };
  accepts({ timestamps: [{ bag: [world.stamper.certificate] }] }, {}, change);
  expect(() => accepts({}, {}, change)).toThrow(withCode("TIMESTAMP_AUTHORITY_UNKNOWN"));
});

test("V16: each leaf profile is refused in the other's place", () => {
  const key = mintKey();
  const authenticating = { leaf: { extendedKeyUsage: [usages.serverAuth, usages.clientAuth] } };
  expect(() => accepts(authenticating)).toThrow(withCode("CERTIFICATE_USAGE_AUTHENTICATION"));
  const leaf = mintLeaf(world, key, authenticating);
  expect(verifyAuthenticationCertificate(leaf, root(), world.at)).toEqual({
    identity: world.identity,
    issuer: world.issuer,
  });
  expect(() => verifyAuthenticationCertificate(mintLeaf(world, key), root(), world.at)).toThrow(
    withCode("CERTIFICATE_USAGE_SIGNING"),
  );
  expect(() => verifyAuthenticationCertificate(leaf, root(), new Date(world.at.getTime() + 86_400_000))).toThrow(
    withCode("CERTIFICATE_OUTSIDE_VALIDITY"),
  );
});

test("V17: what was verified before does not change what is refused after", () => {
  const trustRoot = root();
  const expected = prepareExpectations(base);
  const good = mintBundle(world);
  for (let i = 0; i < 3; i++) verifyBundle(good.bytes, trustRoot, expected);
  const late = Buffer.from(good.bytes.toString().replace('"logIndex":"5"', '"logIndex":"6"'));
  expect(() => verifyBundle(late, trustRoot, expected)).toThrow(withCode("LOG_INDEX_MISMATCH"));
  expect(() => verifyBundle(good.bytes, trustRoot, { ...base, identity: `${world.identity}2` })).toThrow(
    withCode("IDENTITY_MISMATCH"),
  );
  const expired = root((json) => {
    for (const log of json.tlogs) log.publicKey.validFor.end = "2021-01-01T00:00:00Z";
  });
  expect(() => verifyBundle(good.bytes, expired, expected)).toThrow(withCode("LOG_KEY_OUTSIDE_WINDOW"));
  expect(verifyBundle(good.bytes, trustRoot, expected).kind).toBe("statement");
});
