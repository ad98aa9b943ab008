import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { predicateType, readPredicate, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { findBundles, openIndex } from "@touchmark/store";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attestArtifact } from "../attest.ts";
import { type Factory, openFactory } from "../factory.ts";
import { approveArtifact, enrolUser, removeUser, signAsUser, userNamed, users } from "./index.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-people-")));
let factory: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true });
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

const artifact = { name: "app.tgz", digest: sha256("app") };
const refusal = (code: string) => expect.objectContaining({ code });
const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const spkiOf = (key: KeyObject) => createPublicKey(key).export({ format: "der", type: "spki" });

/** Enrols a person with a fresh key. */
async function person(name: string, ...roles: readonly string[]): Promise<KeyObject> {
  const key = newKey();
  await enrolUser(factory, { name, roles, spki: spkiOf(key) });
  return key;
}

/** A bundle, verified as this person's. */
async function verifiedAs(name: string, bytes: Uint8Array) {
  const { trustDomain, issuer } = factory.names();
  const identity = `spiffe://${trustDomain}/user/${name}`;
  return verifyBundle(bytes, readTrustRoot(await factory.trustRoot()), { artifact: artifact.digest, identity, issuer });
}

const review = (body: string) =>
  statementOf("human-answer", [subjectOf(artifact.name, artifact.digest)], {
    ...{ run: "people", createdAt: "2026-11-21T10:00:00Z", predecessors: [], requirement: "EQ1", question: "?" },
    ...{ answer: "met", explanation: body, person: { name: "ada", system: "touchmark" } },
    ...{ answeredAt: "2026-11-21T10:00:00Z", expires: "2027-11-21T10:00:00Z", evidence: [] },
  });

test("PE1: a person is enrolled by the public key alone, signed, and read back", async () => {
  const key = await person("ada", "release-manager", "developer");
  const ada = await userNamed(factory, "ada");
  expect(ada).toMatchObject({
    name: "ada",
    identity: `spiffe://${factory.names().trustDomain}/user/ada`,
    roles: ["developer", "release-manager"],
    publicKey: sha256(spkiOf(key)),
    state: "enrolled",
  });
  const kept = readdirSync(join(factory.home.paths.trust, "people"));
  expect(kept).toEqual(["ada.sigstore.json"]);
  await enrolUser(factory, { name: "ada", roles: ["auditor"], spki: spkiOf(key) });
  expect((await userNamed(factory, "ada")).roles).toEqual(["auditor"]);
  const taken = enrolUser(factory, { name: "ada", roles: ["auditor"], spki: spkiOf(newKey()) });
  await expect(taken).rejects.toThrow(refusal("USER_EXISTS"));
});

test("PE1: names and roles that no identity could hold are refused", async () => {
  for (const [name, roles] of [
    ["Ada", ["developer"]],
    ["../ada", ["developer"]],
    ["", ["developer"]],
    ["x".repeat(64), ["developer"]],
    ["grace", []],
    ["grace", ["Release Manager"]],
  ] as const) {
    const enrolling = enrolUser(factory, { name, roles, spki: spkiOf(newKey()) });
    await expect(enrolling).rejects.toThrow(refusal("USER_NAME_INVALID"));
  }
  await expect(userNamed(factory, "../people")).rejects.toThrow(refusal("USER_UNKNOWN"));
});

test("PE1: an enrolment that was exchanged, copied or cut is refused, not passed over", async () => {
  await person("mallory", "developer");
  const path = (name: string) => join(factory.home.paths.trust, "people", `${name}.sigstore.json`);
  const bytes = readFileSync(path("mallory"));
  writeFileSync(path("alan"), bytes);
  await expect(userNamed(factory, "alan")).rejects.toThrow(refusal("USER_ENROLMENT_DAMAGED"));
  await expect(users(factory)).rejects.toThrow(refusal("USER_ENROLMENT_DAMAGED"));
  writeFileSync(path("alan"), bytes.subarray(0, 400));
  await expect(userNamed(factory, "alan")).rejects.toThrow(refusal("USER_ENROLMENT_DAMAGED"));
  const own = await attestArtifact(factory, {
    artifact: { digest: artifact.digest },
    type: "https://example.org/x/v1",
    predicate: Buffer.from("{}"),
  });
  writeFileSync(path("alan"), own.bytes);
  await expect(userNamed(factory, "alan")).rejects.toThrow(refusal("USER_ENROLMENT_DAMAGED"));
  rmSync(path("alan"));
});

test("PE2: a person signs with the own key, and what is signed verifies as the person's", async () => {
  const key = await person("grace", "developer");
  const report = await signAsUser(factory, "grace", key, review("yes"));
  expect(report.identity).toBe(`spiffe://${factory.names().trustDomain}/user/grace`);
  const verified = await verifiedAs("grace", report.bytes);
  expect(verified).toMatchObject({ kind: "statement", signer: { kind: "certificate", identity: report.identity } });
  await expect(verifiedAs("ada", report.bytes)).rejects.toThrow(refusal("IDENTITY_MISMATCH"));
});

test("PE2: another's key, nobody's name and a removed user sign nothing", async () => {
  const key = await person("linus", "developer");
  const other = await person("margaret", "developer");
  const size = async () => (await factory.log()).checkpoint();
  const before = await size();
  await expect(signAsUser(factory, "linus", other, review("x"))).rejects.toThrow(refusal("USER_PROOF_WRONG"));
  await expect(signAsUser(factory, "nobody", key, review("x"))).rejects.toThrow(refusal("USER_UNKNOWN"));
  expect(await size()).toBe(before);
  const report = await signAsUser(factory, "linus", key, review("before"));
  expect(await removeUser(factory, "linus")).toMatchObject({ name: "linus", state: "removed" });
  await expect(signAsUser(factory, "linus", key, review("after"))).rejects.toThrow(refusal("USER_REMOVED"));
  expect(await verifiedAs("linus", report.bytes)).toMatchObject({ kind: "statement" });
  expect((await users(factory)).find(({ name }) => name === "linus")?.state).toBe("removed");
});

test("PE2: a person cannot say what only the factory says, nor an approval by another way", async () => {
  const key = await person("barbara", "developer");
  for (const type of ["verification-summary", "user-enrolment", "approval", "deployment"] as const) {
    const statement = { ...review("x"), predicateType: predicateType(type) };
    await expect(signAsUser(factory, "barbara", key, statement)).rejects.toThrow(refusal("PREDICATE_RESERVED"));
  }
});

test("PE3: an approval names person, role and environment, and is found beside the artifact", async () => {
  const key = await person("edith", "release-manager");
  const request = { artifact, user: "edith", key, role: "release-manager", environment: "production" };
  const report = await approveArtifact(factory, { ...request, reason: "read", expires: new Date("2027-01-01") });
  const verified = await verifiedAs("edith", report.bytes);
  if (verified.kind !== "statement") throw new Error("no statement");
  expect(readPredicate("approval", verified.statement.predicate)).toMatchObject({
    ...{ user: "edith", role: "release-manager", decision: "approved", environment: "production" },
    expires: "2027-01-01T00:00:00.000Z",
  });
  const index = await openIndex(factory.home);
  const found = await findBundles({ content: factory.content, runs: factory.runs, index }, artifact.digest);
  index.close();
  expect(found.map(({ digest }) => digest)).toContain(report.bundle);
});

test("PE3: nobody approves in a role that is not the own", async () => {
  const key = await person("frances", "developer");
  const request = { artifact, user: "frances", key, role: "release-manager" };
  await expect(approveArtifact(factory, request)).rejects.toThrow(refusal("USER_ROLE_MISSING"));
});
