import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixedClock, sha256 } from "@touchmark/core";
import { parseCertificate } from "@touchmark/formats/evidence";
import { type FactoryFixture, factoryFixture, findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFactoryIdentity, MAX_LEAF_SECONDS, openFactoryIdentity, stepId } from "./index.ts";

const openssl = findProgram("openssl");
const clock = fixedClock("2026-11-21T10:42:31.700Z");
const spiffeId = stepId("factory.example", "demo", "default", "build");
let factory: FactoryFixture;
let directory: string;
beforeAll(async () => {
  factory = await factoryFixture({ clock });
  directory = join(factory.directory, "identity");
});
afterAll(() => factory.dispose());

const newKey = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "der", type: "spki" });
const refusal = (code: string) => expect.objectContaining({ code });

test.skipIf(!openssl)(
  "I1: the root key's file opens with the passphrase in OpenSSL, and holds nothing in clear",
  () => {
    const file = join(directory, "root.key.pem");
    expect(readFileSync(file, "utf8")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    const open = (passphrase: string) =>
      execFileSync(openssl ?? "", ["pkey", "-in", file, "-passin", `pass:${passphrase}`, "-pubout"], { stdio: "pipe" });
    const root = new X509Certificate(factory.identity.chain()[1] ?? "");
    expect(open(factory.passphrase).toString()).toBe(root.publicKey.export({ format: "pem", type: "spki" }));
    expect(() => open("another passphrase")).toThrow();
    expect(execFileSync(openssl ?? "", ["asn1parse", "-in", file]).toString()).toContain("scrypt");
  },
);

test("I1: a run works with the root key's file gone", async () => {
  const other = await factoryFixture({ clock });
  rmSync(join(other.directory, "identity", "root.key.pem"));
  const identity = await openFactoryIdentity({ directory: join(other.directory, "identity"), clock });
  expect((await identity.newSigner({ spiffeId })).certificate.length).toBeGreaterThan(400);
  other.dispose();
});

test("I2: a leaf has the life, the names and the extensions that are written down", async () => {
  const { certificate } = await factory.identity.newSigner({ spiffeId });
  const leaf = parseCertificate(certificate);
  expect(new Date(leaf.notBefore).toISOString()).toBe("2026-11-21T10:42:21.000Z");
  expect(leaf.notAfter - leaf.notBefore).toBe(MAX_LEAF_SECONDS * 1000);
  expect(Buffer.from(leaf.subject).toString("hex")).toBe("3000");
  expect(leaf.subjectAltNames.map(({ kind, text }) => [kind, text])).toEqual([["uri", spiffeId]]);
  expect(leaf.extensions.find(({ oid }) => oid === "2.5.29.17")?.critical).toBe(true);
  expect(leaf.identityIssuer).toBe("https://factory.example");
  expect(leaf.serialNumber).toHaveLength(20);
  expect(leaf.isAuthority).toBe(false);
  const again = parseCertificate((await factory.identity.newSigner({ spiffeId })).certificate);
  expect(Buffer.from(again.serialNumber)).not.toEqual(Buffer.from(leaf.serialNumber));
});

test.each([601, 3600, 0, -1, 1.5, Number.NaN])("I2: a life of %s seconds is refused", (lifetimeSeconds) => {
  const request = { spiffeId, publicKey: newKey(), profile: "signing", lifetimeSeconds } as const;
  expect(() => factory.identity.issue(request)).toThrow(refusal("LEAF_LIFETIME_EXCEEDED"));
});

test("I3: the profiles list their usages", () => {
  const usages = (profile: "signing" | "authentication") =>
    parseCertificate(factory.identity.issue({ spiffeId, publicKey: newKey(), profile })).extendedKeyUsage;
  const [server, client, code] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3"];
  expect(usages("signing")).toEqual([code, server]);
  expect(usages("authentication")).toEqual([server, client]);
});

test("I4: the intermediate is bound to the trust domain and to one level", () => {
  const [der = new Uint8Array(), rootDer = new Uint8Array()] = factory.identity.chain();
  const intermediate = parseCertificate(der);
  expect(intermediate).toMatchObject({ isAuthority: true, pathLength: 0, extendedKeyUsage: undefined });
  expect(intermediate.nameConstraints?.permitted.map(({ kind, text }) => [kind, text])).toEqual([
    ["uri", "factory.example"],
  ]);
  expect(intermediate.extensions.find(({ oid }) => oid === "2.5.29.30")?.critical).toBe(true);
  expect(parseCertificate(rootDer)).toMatchObject({ isAuthority: true, pathLength: 1 });
});

test.skipIf(!openssl)("I5: OpenSSL builds the path of both profiles", () => {
  const file = (name: string, der: Uint8Array) => {
    const path = join(factory.directory, name);
    writeFileSync(path, new X509Certificate(der).toString());
    return path;
  };
  const [intermediate = new Uint8Array(), root = new Uint8Array()] = factory.identity.chain();
  const verify = (leaf: Uint8Array, ...words: string[]) =>
    execFileSync(
      openssl ?? "",
      [
        "verify",
        ...words,
        "-x509_strict",
        "-attime",
        String(Math.floor(clock.now().getTime() / 1000)),
        "-CAfile",
        file("root.pem", root),
        "-untrusted",
        file("intermediate.pem", intermediate),
        file("leaf.pem", leaf),
      ],
      { stdio: "pipe" },
    ).toString();
  for (const profile of ["signing", "authentication"] as const) {
    expect(verify(factory.identity.issue({ spiffeId, publicKey: newKey(), profile }))).toMatch(/: OK$/m);
  }
  // Names of hosts stand under an authority whose constraints are about URIs alone (I8).
  const hosts = ["registry.example", "10.0.0.7"];
  const server = factory.identity.issue({ spiffeId, publicKey: newKey(), profile: "authentication", hosts });
  expect(verify(server, "-verify_hostname", "registry.example")).toMatch(/: OK$/m);
  expect(verify(server, "-verify_ip", "10.0.0.7")).toMatch(/: OK$/m);
  expect(() => verify(server, "-verify_hostname", "other.example")).toThrow();
});

test("I6: every issue leaves a record, in order", async () => {
  const identity = await openFactoryIdentity({ directory, clock });
  const signer = await identity.newSigner({ spiffeId, lifetimeSeconds: 60 });
  const leaf = identity.issue({
    spiffeId: "spiffe://factory.example/node",
    publicKey: newKey(),
    profile: "authentication",
  });
  expect(identity.issuances().map(({ spiffeId: id, profile }) => [id, profile])).toEqual([
    [spiffeId, "signing"],
    ["spiffe://factory.example/node", "authentication"],
  ]);
  expect(identity.issuances()[0]).toEqual(signer.issuance);
  expect(signer.issuance).toMatchObject({
    notBefore: "2026-11-21T10:42:21Z",
    notAfter: "2026-11-21T10:43:21Z",
    certificate: sha256(signer.certificate),
    issuer: sha256(identity.chain()[0] ?? ""),
    serial: new X509Certificate(signer.certificate).serialNumber.toLowerCase(),
  });
  expect(identity.issuances()[1]?.certificate).toBe(sha256(leaf));
});

test("I6: keys of another kind, and points beside the curve, are not certified", () => {
  const issue = (publicKey: Uint8Array) => () => factory.identity.issue({ spiffeId, publicKey, profile: "signing" });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "der", type: "spki" });
  const ed25519 = generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" });
  const beside = Buffer.from(newKey());
  beside[90] = (beside[90] as number) ^ 1;
  for (const key of [p384, ed25519, beside, Buffer.alloc(91)])
    expect(issue(key)).toThrow(refusal("LEAF_KEY_UNSUPPORTED"));
});

test("I8: an authentication leaf names hosts beside its one URI, and a signing leaf none", async () => {
  const hosts = ["registry.example", "127.0.0.1", "::1"];
  const request = { spiffeId: "spiffe://factory.example/registry", publicKey: newKey(), hosts } as const;
  const leaf = new X509Certificate(factory.identity.issue({ ...request, profile: "authentication" }));
  expect(leaf.subjectAltName).toBe(
    "URI:spiffe://factory.example/registry, DNS:registry.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  expect(leaf.checkHost("registry.example")).toBe("registry.example");
  expect(leaf.checkHost("other.example")).toBeUndefined();
  expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
  const issue = (change: object) => factory.identity.issue({ ...request, profile: "authentication", ...change });
  expect(() => issue({ profile: "signing" })).toThrow(refusal("LEAF_HOST_INVALID"));
  for (const host of ["", "A.example", "*.example", "a_b", "a..b", "10.0.0.256", "a\u0000b", "a/b", "[::1]"]) {
    expect(() => issue({ hosts: [host] }), host).toThrow(refusal("LEAF_HOST_INVALID"));
  }
  expect(() => issue({ hosts: Array<string>(101).fill("a.example") })).toThrow(refusal("LEAF_HOST_INVALID"));
});

test("I7: a leaf does not outlive its intermediate", async () => {
  const late = fixedClock("2027-12-23T10:36:00Z");
  const identity = await openFactoryIdentity({ directory, clock: late });
  const issue = (lifetimeSeconds: number) => () =>
    identity.issue({ spiffeId, publicKey: newKey(), profile: "signing", lifetimeSeconds });
  expect(issue(60)).not.toThrow();
  expect(issue(600)).toThrow(refusal("INTERMEDIATE_EXPIRED"));
  late.set("2026-01-01T00:00:00Z");
  expect(issue(60)).toThrow(refusal("INTERMEDIATE_EXPIRED"));
});

test.each(["factory.example", "a", "1.a", "x-y.z"])("N1: %s is a trust domain", async (trustDomain) => {
  const id = stepId(trustDomain, "p", "l", "s");
  expect(id).toBe(`spiffe://${trustDomain}/project/p/pipeline/l/step/s`);
});

test.each(["", "A.b", "-a", "a..b", "a_b", "10.0.0.1", "a/b", "a b", "a".repeat(65)])(
  "N1: %j is no trust domain",
  async (trustDomain) => {
    const options = {
      directory: join(factory.directory, "never"),
      passphrase: factory.passphrase,
      clock,
      log: factory.log,
    };
    await expect(createFactoryIdentity({ ...options, trustDomain })).rejects.toMatchObject({
      code: "TRUST_DOMAIN_INVALID",
    });
  },
);

test.each([
  ["http://factory.example/builder", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example/", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example/project/../builder", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example//builder", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example/b?x", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example/builder%2f", "SPIFFE_ID_INVALID"],
  ["spiffe://factory.example\u0000/builder", "SPIFFE_ID_INVALID"],
  ["spiffe://other.example/builder", "IDENTITY_FOREIGN"],
  ["spiffe://factory.example/attest", "IDENTITY_NOT_PERMITTED"],
  ["spiffe://factory.example/builder/x", "IDENTITY_NOT_PERMITTED"],
  ["spiffe://factory.example/project/p/pipeline/l/step/s/t", "IDENTITY_NOT_PERMITTED"],
])("N2: the factory is not issued %s", async (id, code) => {
  expect(() => factory.identity.issue({ spiffeId: id, publicKey: newKey(), profile: "signing" })).toThrow(
    refusal(code),
  );
  await expect(factory.identity.newSigner({ spiffeId: id })).rejects.toMatchObject({ code });
});

test("N1: a name with a slash makes no step id", () => {
  expect(() => stepId("factory.example", "a/b", "l", "s")).toThrow(refusal("SPIFFE_ID_INVALID"));
});

test("N2: attest may be itself alone", async () => {
  const attest = await openFactoryIdentity({ directory, clock, role: "attest" });
  expect((await attest.newSigner({ spiffeId: "spiffe://factory.example/attest" })).spiffeId).toMatch(/attest$/);
  for (const id of [spiffeId, "spiffe://factory.example/builder", "spiffe://factory.example/node"]) {
    await expect(attest.newSigner({ spiffeId: id })).rejects.toMatchObject({ code: "IDENTITY_NOT_PERMITTED" });
  }
});

test("F1: the directory is 0700 and every file 0600", () => {
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect(mode(directory)).toBe(0o700);
  const names = readdirSync(directory);
  expect(names.length).toBeGreaterThan(6);
  for (const name of names) expect([name, mode(join(directory, name))]).toEqual([name, 0o600]);
});
