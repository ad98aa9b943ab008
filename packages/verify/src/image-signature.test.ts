import { constants, sign } from "node:crypto";
import { isFactoryError, sha256 } from "@touchmark/core";
import { type CertificateRecipe, distinguishedName, mintCertificate, mintKey, usages } from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { verifyNotationSignature } from "./notation-signature.ts";
import { verifySimpleSignature } from "./simple-signature.ts";

const image = sha256("an image");
const now = new Date("2026-06-01T00:00:00Z");
const window = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2027-01-01T00:00:00Z") };

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
}

const simple = (digest: string, type = "cosign container image signature") =>
  Buffer.from(
    JSON.stringify({ critical: { identity: {}, image: { "docker-manifest-digest": digest }, type }, optional: null }),
  );
const signer = mintKey("p256");
const signed = (payload: Buffer) => sign("sha256", payload, signer.privateKey).toString("base64");

test("V19: a simple-signing signature counts by the key that is named, for its image", () => {
  const payload = simple(image);
  const other = mintKey("ed25519");
  const given = { payload, signature: signed(payload) };
  expect(verifySimpleSignature(given, image, [other.pem, signer.pem]).identity).toBe(sha256(signer.spki));
  expect(codeOf(() => verifySimpleSignature(given, sha256("x"), [signer.pem]))).toBe("IMAGE_SIGNATURE_OTHER_IMAGE");
  expect(codeOf(() => verifySimpleSignature(given, image, [other.pem]))).toBe("IMAGE_SIGNATURE_INVALID");
  expect(codeOf(() => verifySimpleSignature(given, image, ["no key"]))).toBe("IMAGE_SIGNATURE_KEY");
  expect(codeOf(() => verifySimpleSignature({ payload, signature: "%" }, image, [signer.pem]))).toBe(
    "IMAGE_SIGNATURE_MALFORMED",
  );
});

test.each([
  ["another type", simple(image, "atomic container signature")],
  ["no JSON", Buffer.from("{")],
  ["a list", Buffer.from("[]")],
  ["a key twice", Buffer.from(`{"critical":{},"critical":{}}`)],
  ["no image", Buffer.from(`{"critical":{"type":"cosign container image signature"}}`)],
  ["no digest", Buffer.from(`{"critical":{"image":{},"type":"cosign container image signature"}}`)],
])("V19: a simple-signing payload with %s is refused", (_, payload) => {
  expect(codeOf(() => verifySimpleSignature({ payload, signature: signed(payload) }, image, [signer.pem]))).toBe(
    "IMAGE_SIGNATURE_MALFORMED",
  );
});

const authority = mintKey("p256");
const leafKey = mintKey("rsa2048");
const caName = distinguishedName("Mint", "Authority");
const pemOf = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString("base64")
    .replace(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`;
const root = mintCertificate({
  subject: caName,
  issuer: caName,
  key: authority,
  signer: authority,
  authority: true,
  ...window,
});
const leaf = (recipe: Partial<CertificateRecipe> = {}) =>
  mintCertificate({
    ...{ subject: distinguishedName("Mint", "Signer"), issuer: caName, key: leafKey, signer: authority, ...window },
    extendedKeyUsage: [usages.codeSigning],
    ...recipe,
  });

interface Recipe {
  readonly header?: Record<string, unknown>;
  readonly payload?: unknown;
  readonly chain?: readonly Uint8Array[];
  readonly envelope?: Record<string, unknown>;
}

function notation({ header, payload, chain, envelope }: Recipe = {}): Buffer {
  const head = {
    alg: "PS256",
    crit: ["io.cncf.notary.signingScheme"],
    cty: "application/vnd.cncf.notary.payload.v1+json",
    "io.cncf.notary.signingScheme": "notary.x509",
    ...header,
  };
  const coded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const [first, second] = [coded(head), coded(payload ?? { targetArtifact: { digest: image, size: 1 } })];
  const key = { key: leafKey.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = sign("sha256", Buffer.from(`${first}.${second}`), key).toString("base64url");
  const x5c = (chain ?? [leaf(), root]).map((der) => Buffer.from(der).toString("base64"));
  return Buffer.from(JSON.stringify({ payload: second, protected: first, header: { x5c }, signature, ...envelope }));
}

const verdict = (recipe: Recipe = {}, anchors = [pemOf(root)], at = now) =>
  codeOf(() => verifyNotationSignature(notation(recipe), image, anchors, at));

test("V19: a Notation signature counts by a chain to the certificate that is named, or by that certificate itself", () => {
  const own = leaf();
  expect(verdict()).toBe("accepted");
  expect(verdict({ chain: [own] })).toBe("accepted");
  expect(verdict({ chain: [own] }, [pemOf(own)])).toBe("accepted");
  expect(verifyNotationSignature(notation({ chain: [own] }), image, [pemOf(root)], now).identity).toBe(sha256(own));
});

const stranger = mintKey("p256");
test.each([
  ["another image", "IMAGE_SIGNATURE_OTHER_IMAGE", { payload: { targetArtifact: { digest: sha256("x") } } }],
  ["no target", "IMAGE_SIGNATURE_OTHER_IMAGE", { payload: {} }],
  ["another payload type", "IMAGE_SIGNATURE_MALFORMED", { header: { cty: "text/plain" } }],
  [
    "an unknown critical header",
    "IMAGE_SIGNATURE_CRITICAL",
    { header: { crit: ["io.cncf.notary.signingScheme", "x"] } },
  ],
  [
    "another scheme",
    "IMAGE_SIGNATURE_CRITICAL",
    { header: { "io.cncf.notary.signingScheme": "notary.x509.signingAuthority" } },
  ],
  ["no critical header", "IMAGE_SIGNATURE_CRITICAL", { header: { crit: [] } }],
  [
    "an expiry that is past",
    "IMAGE_SIGNATURE_EXPIRED",
    { header: { "io.cncf.notary.expiry": "2026-05-01T00:00:00Z" } },
  ],
  ["an expiry that is no time", "IMAGE_SIGNATURE_EXPIRED", { header: { "io.cncf.notary.expiry": "soon" } }],
  ["the algorithm none", "IMAGE_SIGNATURE_MALFORMED", { header: { alg: "none" } }],
  ["an algorithm of another key", "IMAGE_SIGNATURE_MALFORMED", { header: { alg: "ES256" } }],
  ["another hash", "IMAGE_SIGNATURE_INVALID", { header: { alg: "PS384" } }],
  [
    "a stranger's root",
    "IMAGE_SIGNATURE_CHAIN",
    {},
    [
      pemOf(
        mintCertificate({
          subject: caName,
          issuer: caName,
          key: stranger,
          signer: stranger,
          authority: true,
          ...window,
        }),
      ),
    ],
  ],
  ["no code signing", "IMAGE_SIGNATURE_CHAIN", { chain: [leaf({ extendedKeyUsage: [usages.serverAuth] }), root] }],
  ["an authority as signer", "IMAGE_SIGNATURE_CHAIN", { chain: [leaf({ authority: true }), root] }],
  ["a leaf signed by another", "IMAGE_SIGNATURE_CHAIN", { chain: [leaf({ signer: stranger }), root] }],
  ["a certificate of the past", "IMAGE_SIGNATURE_CHAIN", {}, undefined, new Date("2028-01-01T00:00:00Z")],
  ["an anchor that is none", "IMAGE_SIGNATURE_KEY", {}, ["no certificate"]],
  ["no certificates", "IMAGE_SIGNATURE_MALFORMED", { chain: [] }],
  ["a certificate that is none", "IMAGE_SIGNATURE_MALFORMED", { chain: [Buffer.from("x")] }],
  ["padded base64", "IMAGE_SIGNATURE_MALFORMED", { envelope: { payload: "e30=" } }],
  ["no signature", "IMAGE_SIGNATURE_MALFORMED", { envelope: { signature: 1 } }],
  ["another signature", "IMAGE_SIGNATURE_INVALID", { envelope: { signature: "AAAA" } }],
] as [string, string, Recipe, string[]?, Date?][])(
  "V19: a Notation signature with %s is refused as %s",
  (_, code, recipe, anchors, at) => {
    expect(verdict(recipe, anchors, at)).toBe(code);
  },
);
