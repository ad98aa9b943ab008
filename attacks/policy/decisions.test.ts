import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import { builderId } from "@touchmark/identity";
import { attestArtifact, type Factory, openFactory } from "@touchmark/pipeline";
import { compatibilityVsa, deployGate } from "@touchmark/pipeline/gates";
import { decideHere, decisionStatement, evidenceHere, policiesInForce } from "@touchmark/pipeline/policy";
import { signStatement } from "@touchmark/sign";
import { openIndex, readBundle } from "@touchmark/store";
import { afterAll, beforeAll, expect, test } from "vitest";

/*
 * Decisions of a gate, forged for the next one: each lies in the store, found by the digest that it is about, and says
 * PASSED.
 *
 * Shown elsewhere: decisions of another run, on other facts, expired, refused (GT3, GT5), deployments by another than
 * the environment (GT6), what `attest` and people may not sign (P6, PE2).
 */

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attack-decisions-")));
const app = { name: "app.tgz", digest: sha256("app") };
const evil = { name: "app.tgz", digest: sha256("evil") };
const verdict = predicateType("verification-summary");
let factory: Factory;
let stranger: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "own"), create: true });
  stranger = await openFactory({ home: join(directory, "other"), create: true });
  const { policy } = factory.home.paths;
  mkdirSync(policy, { recursive: true });
  writeFileSync(join(policy, "environments.yaml"), "environments: [production]\n");
});
afterAll(async () => {
  await factory.close();
  await stranger.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Policies that let everything pass at both points: what is shown here is no policy's doing. */
const easy = () => {
  const of = (point: string) => {
    const document = {
      touchmark: "policy/v1",
      name: `any-${point}`,
      version: 1,
      expires: "2099-01-01T00:00:00Z",
      point,
    };
    const rules = [{ id: "any", title: "Anything", expression: "subject.name != ''" }];
    return { name: `${point}.json`, bytes: Buffer.from(JSON.stringify({ ...document, rules })) };
  };
  return policiesInForce(factory, { files: [of("publish"), of("deploy")] });
};

/** A decision on the publication, signed by a builder; `as` is who it says that it is by. */
async function decided(by: Factory, artifact: typeof app, as: Factory = by): Promise<Uint8Array> {
  const answer = decideHere(by, await easy(), { point: "publish", subject: artifact, request: {}, evidence: [] });
  const place = { version: "0.1.0", resourceUri: "touchmark:test", levels: [] };
  const statement = decisionStatement(answer, { ...place, verifier: builderId(as.names().trustDomain) });
  const identity = await by.identity();
  const signer = await identity.newSigner({ spiffeId: builderId(by.names().trustDomain) });
  const timestamp = identity.timestampAuthority;
  return (await signStatement({ statement, signer, log: await by.log(), timestamp })).bytes;
}

/** Puts a bundle where the next gate looks for it. */
async function plant(bytes: Uint8Array): Promise<void> {
  await factory.content.put(bytes);
  const content = readBundle(bytes);
  if (content === undefined) throw new TypeError("expected a bundle");
  const index = await openIndex(factory.home);
  try {
    index.putBundle(sha256(bytes), content);
  } finally {
    index.close();
  }
}

/** What a gate sees that reads the statement and looks no further. */
function believed(bytes: Uint8Array, digest: Digest): boolean {
  const bundle = JSON.parse(Buffer.from(bytes).toString()) as { dsseEnvelope: { payload: string } };
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString()) as {
    subject: readonly { digest: { sha256: string } }[];
    predicate: { verificationResult: string };
  };
  return (
    statement.predicate.verificationResult === "PASSED" &&
    statement.subject.some((each) => `sha256:${each.digest.sha256}` === digest)
  );
}
const deploy = async (artifact: typeof app) =>
  deployGate(factory, { artifact, environment: "production", policies: await easy() });
const refusal = (code: string) => expect.objectContaining({ code });

test("a decision by another factory, in the name of this one", async () => {
  const forged = await decided(stranger, evil, factory);
  expect(believed(forged, evil.digest)).toBe(true);
  await plant(forged);
  await expect(deploy(evil)).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
});

test("a decision about a good artifact, with the digest of another one written over its own", async () => {
  const good = await decided(factory, app);
  const bundle = JSON.parse(Buffer.from(good).toString()) as { dsseEnvelope: { payload: string } };
  const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString();
  bundle.dsseEnvelope.payload = Buffer.from(payload.replace(app.digest.slice(7), evil.digest.slice(7))).toString(
    "base64",
  );
  const altered = Buffer.from(JSON.stringify(bundle));
  expect(believed(altered, evil.digest)).toBe(true);
  await plant(altered);
  await expect(deploy(evil)).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
  // As it was signed it is relied on, for what it is about.
  await plant(good);
  expect((await deploy(app)).digest).toBe(app.digest);
  await expect(deploy(evil)).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
});

test("a decision that the command for further statements is asked to sign", async () => {
  const predicate = { verificationResult: "PASSED", touchmark_decision: { point: "publish" } };
  const request = { artifact: { digest: evil.digest }, predicate: Buffer.from(JSON.stringify(predicate)) };
  for (const type of [verdict, `${verdict}/`, verdict.toUpperCase(), verdict.replace("https", "http")]) {
    await expect(attestArtifact(factory, { ...request, type })).rejects.toThrow(refusal("PREDICATE_RESERVED"));
  }
  await expect(deploy(evil)).rejects.toThrow(refusal("GATE_DECISION_MISSING"));
});

test("a summary under the key for other tools, offered as evidence", async () => {
  const vsa = await compatibilityVsa(factory, app);
  const envelope = JSON.parse(Buffer.from(vsa.envelope).toString()) as { payload: string };
  const summary = JSON.parse(Buffer.from(envelope.payload, "base64").toString()) as { predicate: unknown };
  expect(summary.predicate).toMatchObject({ verificationResult: "PASSED" });
  // In the shape of a bundle, with what a real one brings besides.
  const donor = JSON.parse(Buffer.from(await decided(factory, app)).toString()) as {
    verificationMaterial: { certificate?: unknown };
  };
  const { certificate: _, ...rest } = donor.verificationMaterial;
  const keyed = { ...donor, verificationMaterial: { ...rest, publicKey: { hint: vsa.keyId } }, dsseEnvelope: envelope };
  const dressed = { ...donor, dsseEnvelope: envelope };
  const before = (await evidenceHere(factory, app.digest)).statements.length;
  const offered = [keyed, dressed].map((each) => Buffer.from(JSON.stringify(each)));
  for (const each of offered) {
    expect(believed(each, app.digest)).toBe(true);
    await plant(each);
  }
  const { statements, refused } = await evidenceHere(factory, app.digest);
  expect(statements).toHaveLength(before);
  expect(offered.map((each) => refused.get(sha256(each)))).toEqual(["KEY_UNEXPECTED", "SIGNATURE_INVALID"]);
});
