import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCertificate } from "@touchmark/formats/evidence";
import { type FactoryFixture, factoryFixture } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  assertMayIssue,
  createUserKey,
  environmentId,
  type FactoryIdentity,
  openFactoryIdentity,
  openUserKey,
  readUserPublicKey,
  userCertifier,
  userId,
} from "./index.ts";

const start = new Date("2026-11-21T10:42:31Z").getTime();
let at = start;
const clock = { now: () => new Date(at) };
let factory: FactoryFixture;
let people: FactoryIdentity;
beforeAll(async () => {
  factory = await factoryFixture({ clock });
  people = await openFactoryIdentity({ directory: join(factory.directory, "identity"), clock, role: "people" });
});
afterAll(() => factory.dispose());

const refusal = (code: string) => expect.objectContaining({ code });
const p256 = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A certifier that knows one person, and the person's key. */
function scene() {
  const { privateKey, publicKey } = p256();
  const enrolled = publicKey.export({ format: "der", type: "spki" });
  const certifier = userCertifier({ identity: people, clock, keyOf: () => enrolled });
  const prove = (challenge: Uint8Array, key = privateKey) => sign("sha256", challenge, key);
  return { certifier, prove, enrolled };
}

test("N2: users and environments are what their own parts may issue, and nobody else", () => {
  const ada = userId("factory.example", "ada");
  const production = environmentId("factory.example", "production");
  for (const [role, id] of [
    ["factory", ada],
    ["attest", ada],
    ["deploy", ada],
    ["people", production],
    ["people", "spiffe://factory.example/builder"],
    ["factory", production],
  ] as const) {
    expect(() => assertMayIssue(role, "factory.example", id)).toThrow(refusal("IDENTITY_NOT_PERMITTED"));
  }
  assertMayIssue("people", "factory.example", ada);
  assertMayIssue("deploy", "factory.example", production);
  expect(() => userId("factory.example", "ada/step/build")).toThrow(refusal("SPIFFE_ID_INVALID"));
});

test("P2: who has the enrolled key gets a certificate of it, for ten minutes", () => {
  const { certifier, prove, enrolled } = scene();
  const challenge = certifier.challenge("ada");
  const certificate = parseCertificate(certifier.certify("ada", challenge, prove(challenge)));
  expect(certificate.subjectAltNames).toMatchObject([{ kind: "uri", text: userId(people.trustDomain, "ada") }]);
  expect(Buffer.from(certificate.publicKey)).toEqual(enrolled);
  expect(people.issuances().at(-1)).toMatchObject({ spiffeId: userId(people.trustDomain, "ada"), profile: "signing" });
});

test("P2: another key, another name, a challenge used before, an old and a made-up one are refused", () => {
  const { certifier, prove } = scene();
  const ask = (name: string, challenge: Uint8Array, proof: Uint8Array) => () =>
    certifier.certify(name, challenge, proof);
  const first = certifier.challenge("ada");
  expect(ask("ada", first, prove(first, p256().privateKey))).toThrow(refusal("USER_PROOF_WRONG"));
  expect(ask("ada", first, prove(first))).toThrow(refusal("USER_CHALLENGE_UNKNOWN"));
  const second = certifier.challenge("ada");
  expect(ask("grace", second, prove(second))).toThrow(refusal("USER_CHALLENGE_UNKNOWN"));
  const third = certifier.challenge("ada");
  at += 60_000;
  expect(ask("ada", third, prove(third))).toThrow(refusal("USER_CHALLENGE_UNKNOWN"));
  at = start;
  const forged = Buffer.from("touchmark user certificate v1\n");
  expect(ask("ada", forged, prove(forged))).toThrow(refusal("USER_CHALLENGE_UNKNOWN"));
});

test("P1: a key is made once, for its owner alone, in clear or encrypted", () => {
  const plain = join(factory.directory, "people", "plain.pem");
  const key = createUserKey(plain);
  expect(statSync(plain).mode & 0o777).toBe(0o600);
  expect(createUserKey(plain).equals(key)).toBe(true);
  expect(readUserPublicKey(plain)).toEqual(createPublicKey(key).export({ format: "der", type: "spki" }));
  const locked = join(factory.directory, "people", "locked.pem");
  const secret = createUserKey(locked, "correct horse battery");
  expect(readFileSync(locked, "utf8")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
  expect(openUserKey(locked, "correct horse battery").equals(secret)).toBe(true);
  for (const passphrase of [undefined, "another passphrase"]) {
    expect(() => openUserKey(locked, passphrase)).toThrow(refusal("USER_KEY_LOCKED"));
  }
  const published = join(factory.directory, "people", "published.pem");
  writeFileSync(published, createPublicKey(secret).export({ format: "pem", type: "spki" }));
  expect(readUserPublicKey(published)).toEqual(readUserPublicKey(locked, "correct horse battery"));
  expect(() => openUserKey(published)).toThrow(refusal("USER_KEY_UNSUPPORTED"));
});

test("P1: a key that others can read, and what is no P-256 key, are refused", () => {
  const path = join(factory.directory, "people", "exposed.pem");
  createUserKey(path);
  chmodSync(path, 0o640);
  expect(() => openUserKey(path)).toThrow(refusal("KEY_FILE_EXPOSED"));
  rmSync(path);
  const unsupported = refusal("USER_KEY_UNSUPPORTED");
  expect(() => openUserKey(path)).toThrow(unsupported);
  for (const text of [
    "no key",
    generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }),
    generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "pem", type: "pkcs8" }),
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
  ]) {
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => openUserKey(path)).toThrow(unsupported);
    expect(() => readUserPublicKey(path)).toThrow(unsupported);
    rmSync(path);
  }
});
