import { appendFileSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, sha256 } from "@touchmark/core";
import type { PolicyException } from "@touchmark/formats/policy";
import { readPredicate } from "@touchmark/formats/predicates";
import { decide } from "@touchmark/policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Factory, openFactory } from "../factory.ts";
import {
  decideHere,
  decisionStatement,
  evidenceHere,
  installSet,
  keepException,
  keptRecords,
  type PolicyFile,
  policiesInForce,
  policyPlaces,
  pruneRecords,
  readPolicyFiles,
  readRecord,
  replayInput,
} from "./index.ts";
import { person, policyFile, setOf, signedException, signedSet } from "./policy.fixture.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-policy-")));
let factory: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true });
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

const refusal = (code: string) => expect.objectContaining({ code });
const digest = sha256("app");
const question = {
  point: "deploy" as const,
  subject: { name: "app", digest },
  request: { environment: "production" },
  evidence: [],
};
const codesOf = ({ decision }: { readonly decision: ReturnType<typeof decide> }) => [
  ...decision.denials.map(({ code }) => code),
  ...decision.verdicts.flatMap(({ denials }) => denials.map(({ code }) => code)),
];

test("PO1: a fresh home is decided by the built-in policies of all five points; files take their place", async () => {
  const fresh = await policiesInForce(factory);
  expect(fresh.origin).toBe("built-in");
  expect(fresh.policies.map(({ document }) => document.point)).toEqual([
    "request",
    "dependency",
    "step",
    "publish",
    "deploy",
  ]);
  const file = policyFile("true");
  const named = await policiesInForce(factory, { files: [file] });
  expect(named).toMatchObject({ origin: "files", policies: [{ digest: file.digest }] });
  await expect(
    policiesInForce(factory, { files: [{ name: "x", bytes: Buffer.from('{"touchmark":"policy/v9"}') }] }),
  ).rejects.toThrow(refusal("POLICY_DOCUMENT_VERSION"));
  const set = setOf(1, [file]);
  await expect(
    policiesInForce(factory, { files: [{ name: "x", bytes: Buffer.from(JSON.stringify(set)) }] }),
  ).rejects.toThrow(refusal("POLICY_FILE_UNREADABLE"));
  expect(() => readPolicyFiles([join(directory, "absent.yaml")])).toThrow(refusal("POLICY_FILE_UNREADABLE"));
});

test("PO1: no policy at all denies, and so do parameters that are no mapping", async () => {
  const none = await policiesInForce(factory, { files: [] });
  expect(codesOf(decideHere(factory, none, question))).toEqual(["POLICY_NONE"]);
  const { parameters } = policyPlaces(factory);
  writeFileSync(parameters, "- a list\n");
  await expect(policiesInForce(factory)).rejects.toThrow(refusal("POLICY_PARAMETERS_MALFORMED"));
  writeFileSync(parameters, "limit: 7\n");
  expect((await policiesInForce(factory)).parameters).toEqual({ limit: 7 });
  rmSync(parameters);
});

test("PO2: a decision is recorded with what it takes to repeat it, and stated as a verification summary", async () => {
  const policies = await policiesInForce(factory, { files: [policyFile("request.environment == 'staging'")] });
  const decided = decideHere(factory, policies, question);
  expect(codesOf(decided)).toEqual(["POLICY_RULE_FAILED"]);
  const kept = keptRecords(factory).find((each) => each.digest === decided.record);
  expect(kept?.record.decision).toEqual(decided.decision);
  const statement = decisionStatement(decided, {
    ...{
      verifier: "spiffe://example.test/attest",
      version: "0.1.0",
      resourceUri: "oci://example.test/app:1",
      levels: ["SLSA_BUILD_LEVEL_1"],
    },
  });
  expect(readPredicate("verification-summary", statement.predicate)).toMatchObject({
    verificationResult: "FAILED",
    verifiedLevels: [],
    touchmark_decision: {
      point: "deploy",
      decision: sha256(canonicalJson(decided.decision)),
      denials: [{ code: "POLICY_RULE_FAILED", rule: "rule" }],
    },
  });
  expect(statement.subject).toEqual([{ name: "app", digest: { sha256: digest.slice(7) } }]);
});

test("PO2: decisions about packages share a file a day, and old records can be forgotten", async () => {
  const rule = policyFile("true", { point: "dependency" });
  const policies = await policiesInForce(factory, { files: [rule] });
  const [early, late] = [new Date("2020-01-01T10:00:00Z"), new Date("2020-01-02T10:00:00Z")];
  for (const now of [early, early, late]) {
    decideHere(factory, policies, { ...question, point: "dependency", request: { n: 1 }, now });
  }
  const { decisions } = policyPlaces(factory);
  const days = () => readdirSync(decisions).filter((name) => name.endsWith(".jsonl"));
  expect(days()).toEqual(["20200101-dependency.jsonl", "20200102-dependency.jsonl"]);
  appendFileSync(join(decisions, "20200102-dependency.jsonl"), '{"touchmark":"decision-rec');
  const known = () => keptRecords(factory).filter(({ record }) => record.decision.point === "dependency").length;
  expect(known()).toBe(3);
  expect(pruneRecords(factory, late, { dryRun: true })).toBe(1);
  expect(pruneRecords(factory, late, { dryRun: false })).toBe(1);
  expect(days()).toEqual(["20200102-dependency.jsonl"]);
  expect(known()).toBe(1);
});

test("PO2: decisions of one second are kept in the order of their points", async () => {
  const now = new Date("2098-01-01T10:00:00Z");
  for (const point of ["step", "publish", "request"] as const) {
    const policies = await policiesInForce(factory, { files: [policyFile("true", { point })] });
    decideHere(factory, policies, { ...question, point, now });
  }
  expect(
    keptRecords(factory)
      .slice(-3)
      .map(({ record }) => record.decision.point),
  ).toEqual(["request", "step", "publish"]);
});

test("PO3: absence of evidence is no error and no evidence", async () => {
  const found = await evidenceHere(factory, digest);
  expect([found.statements, found.chains, found.broken?.code]).toEqual([[], [], "EVIDENCE_MISSING"]);
});

test("PO4: a recorded decision is taken again from the store, byte for byte", async () => {
  const policies = await policiesInForce(factory, { files: [policyFile("request.since < now")] });
  const since = new Date("2026-01-01T00:00:00Z");
  const decided = decideHere(factory, policies, {
    ...question,
    request: { since, count: 3n, list: ["a", null], $time: "x", odd: { $time: "2020-01-01" } },
  });
  const record = keptRecords(factory).find((each) => each.digest === decided.record)?.record;
  if (record === undefined) throw new TypeError("no record was kept");
  const again = decide({ ...(await replayInput(factory, record)), policies: policies.policies, layouts: [] });
  expect(canonicalJson(again)).toBe(canonicalJson(decided.decision));
  expect(again.result).toBe("allow");
});

test("PO4: a record that is cut, or rests on what is gone, is said", async () => {
  const [kept] = keptRecords(factory);
  if (kept === undefined) throw new TypeError("no record was kept");
  const bytes = Buffer.from(canonicalJson(kept.record));
  expect(() => readRecord(bytes.subarray(0, 40), "cut.json")).toThrow(refusal("POLICY_RECORD_UNREADABLE"));
  expect(() => readRecord(Buffer.from('{"touchmark":"other"}'), "other.json")).toThrow(
    refusal("POLICY_RECORD_UNREADABLE"),
  );
  await expect(replayInput(factory, { ...kept.record, evidence: [sha256("gone")] })).rejects.toThrow(
    refusal("POLICY_RECORD_UNREADABLE"),
  );
});

test("PO5: a set is put in force whole, its next version by those whom it names, and never an older one", async () => {
  const ada = await person(factory, "ada");
  const eve = await person(factory, "eve");
  const file = policyFile("true");
  const trust = { security: { identities: [{ identity: ada.identity }] } };
  const first = setOf(2, [file], { trust });
  const byAda = (set: typeof first): Promise<PolicyFile> => signedSet(factory, set, { name: "ada", key: ada.key });
  await expect(installSet(factory, [file])).rejects.toThrow(refusal("POLICY_SET_UNSIGNED"));
  // The owner of the home begins; the set itself demands ada.
  await expect(installSet(factory, [file, await signedSet(factory, first)])).rejects.toThrow(
    refusal("POLICY_SET_REFUSED"),
  );
  await expect(installSet(factory, [await signedSet(factory, first), await byAda(first)])).rejects.toThrow(
    refusal("POLICY_MEMBER_MISSING"),
  );
  expect((await policiesInForce(factory)).origin).toBe("built-in");
  const installed = await installSet(factory, [file, await signedSet(factory, first), await byAda(first)]);
  expect(installed).toMatchObject({ documents: 1, set: { document: { version: 2 } } });
  const inForce = await policiesInForce(factory);
  expect([inForce.origin, inForce.policies.map((each) => each.digest)]).toEqual(["set", [file.digest]]);
  expect(decideHere(factory, inForce, question).decision.result).toBe("allow");
  const next = setOf(3, [file], { trust });
  for (const files of [
    [file, await byAda(setOf(1, [file], { trust }))],
    [file, await signedSet(factory, next)],
    [file, await signedSet(factory, next, { name: "eve", key: eve.key })],
    [file, await byAda(setOf(4, [file], { trust, expires: "2020-01-01T00:00:00Z" }))],
  ]) {
    await expect(installSet(factory, files)).rejects.toThrow(refusal("POLICY_SET_REFUSED"));
  }
  await installSet(factory, [file, await byAda(next)]);
  expect((await policiesInForce(factory)).set?.document.version).toBe(3);
});

test("PO5: what was altered after it was put in force decides nothing", async () => {
  const { documents, set } = policyPlaces(factory);
  const [name = ""] = readdirSync(documents);
  const path = join(documents, name);
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.from(String(bytes).replace("true", "1==1")));
  await expect(policiesInForce(factory)).rejects.toThrow(refusal("POLICY_MEMBER_MISSING"));
  rmSync(path);
  await expect(policiesInForce(factory)).rejects.toThrow(refusal("POLICY_MEMBER_MISSING"));
  writeFileSync(path, bytes);
  const installed = join(set, "installed.json");
  const text = readFileSync(installed, "utf8");
  writeFileSync(installed, text.slice(0, 100));
  await expect(policiesInForce(factory)).rejects.toThrow(refusal("POLICY_SET_CHANGED"));
  writeFileSync(installed, text);
  expect((await policiesInForce(factory)).origin).toBe("set");
});

test("PO6: an exception counts when another than the requester signed it, and only until its date", async () => {
  const grace = await person(factory, "grace");
  const linus = await person(factory, "linus");
  const exception: PolicyException = {
    ...{ touchmark: "exception/v1", id: "TICKET-12", policy: "production", rules: ["rule"], subject: { digest } },
    ...{ reason: "until the vendor answers", requester: linus.identity, approvers: [grace.identity, linus.identity] },
    ...{ created: "2026-11-21T10:00:00Z", expires: "2099-01-01T00:00:00Z" },
  };
  const by = (name: string, key: typeof grace.key, content = exception) =>
    signedException(factory, content, { name, key });
  await expect(keepException(factory, await by("linus", linus.key))).rejects.toThrow(
    refusal("POLICY_EXCEPTION_REFUSED"),
  );
  const others = { ...exception, approvers: ["spiffe://example.test/user/nobody"] };
  await expect(keepException(factory, await by("grace", grace.key, others))).rejects.toThrow(
    refusal("POLICY_EXCEPTION_REFUSED"),
  );
  const past = { ...exception, expires: "2026-11-01T00:00:00Z" };
  await expect(keepException(factory, await by("grace", grace.key, past))).rejects.toThrow(
    refusal("POLICY_EXCEPTION_REFUSED"),
  );
  const kept = await keepException(factory, await by("grace", grace.key));
  expect(kept.signer).toBe(grace.identity);
  const trust = { security: { identities: [{ identity: grace.identity }] } };
  const granting = policyFile("false", { trust, exceptions: { by: ["security"] } });
  const inForce = await policiesInForce(factory, { files: [granting] });
  const { decision } = decideHere(factory, inForce, question);
  expect(decision).toMatchObject({
    result: "allow",
    verdicts: [{ rules: [{ outcome: "excepted", exception: { id: "TICKET-12", statement: kept.bundle } }] }],
  });
  const elsewhere = decideHere(factory, inForce, { ...question, subject: { name: "app", digest: sha256("other") } });
  expect(codesOf(elsewhere)).toEqual(["POLICY_RULE_FAILED"]);
});

test("PO6: a file among the exceptions that does not verify is named, and counts for nothing", async () => {
  const { exceptions } = policyPlaces(factory);
  writeFileSync(join(exceptions, "stray.sigstore.json"), "{}");
  const { ignored, exceptions: found } = await policiesInForce(factory);
  expect(ignored).toMatchObject([{ file: "stray.sigstore.json" }]);
  expect(found).toHaveLength(1);
});
