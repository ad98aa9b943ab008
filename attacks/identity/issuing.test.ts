import { spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, sign, verify, X509Certificate } from "node:crypto";
import { chmodSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixedClock, sha256, systemClock } from "@touchmark/core";
import {
  authorityConstraints,
  distinguishedName,
  extendedKeyUsage,
  issuerUrl,
  keyUsage,
  oids,
  uriSubject,
  writeCertificate,
} from "@touchmark/formats/certificate-writer";
import { parseBundle, parseCertificate, preAuthEncoding } from "@touchmark/formats/evidence";
import { assertMayAttest, predicateType } from "@touchmark/formats/predicates";
import { type FactoryIdentity, openFactoryIdentity, rotateAuthority, stepId } from "@touchmark/identity";
import { type Signer, signStatement } from "@touchmark/sign";
import { type FactoryFixture, factoryFixture, findProgram, sampleStatement } from "@touchmark/test-kit";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findPaths } from "../../packages/verify/src/certificate-path.ts";

/* Who may have which certificate, for how long, and what it may be used for. Each first succeeds where nothing defends. */

const openssl = findProgram("openssl");
const provenance = "https://slsa.dev/provenance/v1";
const builder = "spiffe://factory.example/builder";
const build = stepId("factory.example", "demo", "default", "build");
let factory: FactoryFixture;
let directory: string;
beforeAll(async () => {
  factory = await factoryFixture();
  directory = join(factory.directory, "identity");
});
afterAll(() => factory.dispose());

const intermediateName = distinguishedName("factory.example", "Touchmark intermediate 1");
const refusal = (code: string) => expect.objectContaining({ code });
const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const signerOf = (certificate: Uint8Array, { privateKey }: ReturnType<typeof keyPair>): Signer => ({
  certificate,
  sign: async (bytes) => sign("sha256", bytes, privateKey),
});
const signed = async (signer: Signer, identity: FactoryIdentity = factory.identity) =>
  (
    await signStatement({
      statement: sampleStatement("artifact", provenance),
      signer,
      log: factory.log,
      timestamp: identity.timestampAuthority,
    })
  ).bytes;
const verified = (bytes: Uint8Array, identity: string, root = factory.identity.trustedRoot()) =>
  verifyBundle(bytes, readTrustRoot(root), {
    artifact: sha256("artifact"),
    identity,
    issuer: "https://factory.example",
  });

/** A verifier that looks at the signature and at who signed the certificate, and at nothing else. */
function carelessVerdict(bytes: Uint8Array, issuer = factory.identity.chain()[0] ?? new Uint8Array()): boolean {
  const { keyMaterial, content } = parseBundle(bytes);
  if (keyMaterial.kind !== "certificate" || content.kind !== "envelope") return false;
  const certificate = new X509Certificate(keyMaterial.certificate);
  const message = preAuthEncoding(content.payloadType, content.payload);
  return (
    certificate.verify(new X509Certificate(issuer).publicKey) &&
    content.signatures.every(({ sig }) => verify("sha256", message, certificate.publicKey, sig))
  );
}

/** A certificate as somebody with the intermediate's key file makes it, past every rule of ours. */
function stolenLeaf(
  keys: ReturnType<typeof keyPair>,
  change: { readonly spiffeId?: string; readonly days?: number; readonly from?: string; readonly now?: Date } = {},
): Uint8Array {
  const stolen = createPrivateKey(readFileSync(join(change.from ?? directory, "intermediate-1.key.pem")));
  const now = (change.now ?? new Date()).getTime();
  return writeCertificate(
    {
      serial: Buffer.of(1, 2, 3),
      issuer: intermediateName,
      subject: distinguishedName(),
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + (change.days ?? 0.001) * 86_400_000),
      publicKey: keys.publicKey.export({ format: "der", type: "spki" }),
      extensions: [
        keyUsage.digitalSignature,
        extendedKeyUsage(false, oids.codeSigning),
        uriSubject(change.spiffeId ?? builder),
        issuerUrl("https://factory.example"),
      ],
    },
    stolen,
  );
}

test("attest asks for a step's identity: the same key file would sign it, the role does not", async () => {
  // Undefended: whoever opens the identity without saying what for gets any certificate.
  const unlimited = await openFactoryIdentity({ directory, clock: systemClock });
  expect(carelessVerdict(await signed(await unlimited.newSigner({ spiffeId: build })))).toBe(true);
  const attest = await openFactoryIdentity({ directory, clock: systemClock, role: "attest" });
  await expect(attest.newSigner({ spiffeId: build })).rejects.toMatchObject({ code: "IDENTITY_NOT_PERMITTED" });
  const publicKey = keyPair().publicKey.export({ format: "der", type: "spki" });
  expect(() => attest.issue({ spiffeId: builder, publicKey, profile: "signing" })).toThrow(
    refusal("IDENTITY_NOT_PERMITTED"),
  );
  expect(attest.issuances()).toEqual([]);
});

test("attest signs provenance: a careless verifier takes it, the factory refuses to sign and our verifier to accept", async () => {
  const attest = await openFactoryIdentity({ directory, clock: systemClock, role: "attest" });
  const bytes = await signed(await attest.newSigner({ spiffeId: "spiffe://factory.example/attest" }));
  expect(carelessVerdict(bytes)).toBe(true);
  for (const type of [provenance, `${provenance}/`, "https://slsa.dev/provenance/v0.2", predicateType("release")]) {
    expect(() => assertMayAttest(type)).toThrow(refusal("PREDICATE_RESERVED"));
  }
  expect(() => verified(bytes, builder)).toThrow(refusal("IDENTITY_MISMATCH"));
});

test("an authentication leaf signs a statement", async () => {
  const keys = keyPair();
  const publicKey = keys.publicKey.export({ format: "der", type: "spki" });
  const leaf = factory.identity.issue({ spiffeId: builder, publicKey, profile: "authentication" });
  const bytes = await signed(signerOf(leaf, keys));
  expect(carelessVerdict(bytes)).toBe(true);
  expect(() => verified(bytes, builder)).toThrow(refusal("CERTIFICATE_USAGE_AUTHENTICATION"));
});

test("a signing leaf authenticates", async () => {
  const { certificate } = await factory.identity.newSigner({ spiffeId: builder });
  // Undefended: it is genuine, it is in time, and TLS libraries accept it for a server.
  const leaf = new X509Certificate(certificate);
  expect(leaf.verify(new X509Certificate(factory.identity.chain()[0] ?? "").publicKey)).toBe(true);
  expect(leaf.keyUsage).toContain("1.3.6.1.5.5.7.3.1");
  expect(() => findPaths(parseCertificate(certificate), [], [], "authentication")).toThrow(
    refusal("CERTIFICATE_USAGE_SIGNING"),
  );
});

test("a leaf for a year", async () => {
  const keys = keyPair();
  const leaf = stolenLeaf(keys, { days: 365 });
  expect(carelessVerdict(await signed(signerOf(leaf, keys)))).toBe(true);
  const publicKey = keys.publicKey.export({ format: "der", type: "spki" });
  for (const lifetimeSeconds of [601, 365 * 86_400, Number.POSITIVE_INFINITY]) {
    expect(() => factory.identity.issue({ spiffeId: build, publicKey, profile: "signing", lifetimeSeconds })).toThrow(
      refusal("LEAF_LIFETIME_EXCEEDED"),
    );
  }
});

test("the intermediate's key, stolen, speaks for another trust domain", async () => {
  const keys = keyPair();
  const foreign = "spiffe://other.example/builder";
  const bytes = await signed(signerOf(stolenLeaf(keys, { spiffeId: foreign }), keys));
  expect(carelessVerdict(bytes)).toBe(true);
  expect(() => verified(bytes, foreign)).toThrow(refusal("CERTIFICATE_NAME_CONSTRAINT"));
  const publicKey = keys.publicKey.export({ format: "der", type: "spki" });
  expect(() => factory.identity.issue({ spiffeId: foreign, publicKey, profile: "signing" })).toThrow(
    refusal("IDENTITY_FOREIGN"),
  );
});

test.skipIf(!openssl)("the intermediate's key, stolen, speaks for another trust domain, in the eyes of OpenSSL", () => {
  const leaf = join(factory.directory, "foreign.pem");
  const foreign = stolenLeaf(keyPair(), { spiffeId: "spiffe://other.example/builder" });
  writeFileSync(leaf, new X509Certificate(foreign).toString());
  const [intermediate = "", root = ""] = ["intermediate-1.crt.pem", "root.crt.pem"].map((name) =>
    join(directory, name),
  );
  const check = (untrusted: string) =>
    spawnSync(openssl ?? "", ["verify", "-CAfile", root, "-untrusted", untrusted, leaf], { encoding: "utf8" });
  // Undefended: the same authority without name constraints.
  const rootKey = createPrivateKey({
    key: readFileSync(join(directory, "root.key.pem")),
    passphrase: factory.passphrase,
  });
  const unconstrained = join(factory.directory, "unconstrained.pem");
  const certificate = writeCertificate(
    {
      serial: Buffer.of(4),
      issuer: distinguishedName("factory.example", "Touchmark root"),
      subject: intermediateName,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 86_400_000),
      publicKey: new X509Certificate(readFileSync(intermediate)).publicKey.export({ format: "der", type: "spki" }),
      extensions: [keyUsage.certificateSigning, authorityConstraints(0)],
    },
    rootKey,
  );
  writeFileSync(unconstrained, new X509Certificate(certificate).toString());
  expect(check(unconstrained).stdout).toMatch(/: OK$/m);
  expect(check(intermediate).stderr).toMatch(/permitted subtree violation/);
});

test("an intermediate that was rotated away after a theft signs on", async () => {
  const clock = fixedClock("2026-11-21T10:00:00Z");
  const robbed = await factoryFixture({ clock });
  const from = join(robbed.directory, "identity");
  const stale = robbed.identity.trustedRoot();
  clock.set("2026-11-21T11:00:00Z");
  rotateAuthority({ directory: from, passphrase: robbed.passphrase, clock, kind: "intermediate", graceSeconds: 0 });
  const rotated = await openFactoryIdentity({ directory: from, clock });
  clock.set("2026-11-21T12:00:00Z");
  const keys = keyPair();
  const signer = signerOf(stolenLeaf(keys, { from, now: clock.now() }), keys);
  const { bytes } = await signStatement({
    statement: sampleStatement("artifact", provenance),
    signer,
    log: robbed.log,
    timestamp: rotated.timestampAuthority,
  });
  expect(carelessVerdict(bytes, robbed.identity.chain()[0])).toBe(true);
  // Undefended: the trusted root from before the rotation still accepts it.
  expect(verified(bytes, builder, stale).kind).toBe("statement");
  expect(() => verified(bytes, builder, rotated.trustedRoot())).toThrow(refusal("AUTHORITY_OUTSIDE_VALIDITY"));
  robbed.dispose();
});

test("a key file cut short makes a careless program start over with a new authority", async () => {
  const copy = join(factory.directory, "cut");
  cpSync(directory, copy, { recursive: true });
  chmodSync(copy, 0o700);
  const path = join(copy, "intermediate-1.key.pem");
  writeFileSync(path, readFileSync(path).subarray(0, 120), { mode: 0o600 });
  // Undefended: read, and on failure make a fresh one. Everything signed before is orphaned, and nobody notices.
  const careless = () => {
    try {
      return createPrivateKey(readFileSync(path));
    } catch {
      return keyPair().privateKey;
    }
  };
  expect(careless().type).toBe("private");
  await expect(openFactoryIdentity({ directory: copy, clock: systemClock })).rejects.toMatchObject({
    code: "KEY_FILE_DAMAGED",
  });
});

test("a key file that a neighbour can read", async () => {
  const copy = join(factory.directory, "exposed");
  cpSync(directory, copy, { recursive: true });
  chmodSync(copy, 0o700);
  const path = join(copy, "intermediate-1.key.pem");
  chmodSync(path, 0o644);
  expect(createPrivateKey(readFileSync(path)).type).toBe("private");
  await expect(openFactoryIdentity({ directory: copy, clock: systemClock })).rejects.toMatchObject({
    code: "KEY_FILE_EXPOSED",
  });
});
