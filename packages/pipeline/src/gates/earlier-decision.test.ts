import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import { attestId, builderId } from "@touchmark/identity";
import type { VerifiedStatement } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signAttestation } from "../attest.ts";
import { type Factory, openFactory } from "../factory.ts";
import { policiesInForce, verifyHere } from "../policy/index.ts";
import { askGate } from "./ask-gate.ts";
import { reliedPublication } from "./deploy-gate.ts";
import { type Reliance, relyOn } from "./earlier-decision.ts";
import { oneRuleEach } from "./policies.fixture.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-earlier-")));
const now = new Date("2026-11-21T10:00:00Z");
const artifact = { name: "app.tgz", digest: sha256("app") };
let factory: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true, clock: fixedClock(now.toISOString()) });
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A signed and verified decision about the publication of the artifact. */
async function decided(expression = "true || request.run == ''"): Promise<{
  readonly statement: VerifiedStatement;
  readonly request: Digest;
}> {
  const verifier = attestId(factory.names().trustDomain);
  const policies = await policiesInForce(factory, { files: oneRuleEach({ publish: expression }) });
  const answer = askGate(factory, policies, {
    point: "publish",
    subject: artifact,
    facts: {
      ...{ run: "r", project: "p", pipeline: "l", artifact: { name: "app", kind: "file" }, insecureOptions: [] },
      caller: { name: "ada", kind: "person", authentication: "certificate" },
    },
    ...{ evidence: [], verifier, resourceUri: "touchmark:test", levels: ["TOUCHMARK_CHAIN"] },
    chain: { run: "r", createdAt: "2026-11-21T10:00:00Z", predecessors: [] },
  });
  const { bundle, bytes } = await signAttestation(factory, answer.statement);
  const [statement] = (await verifyHere(factory, new Map([[bundle, bytes]]))).statements;
  if (statement === undefined) throw new Error("the decision does not verify");
  return { statement, request: answer.decided.decision.inputs.request };
}
const reliance = (more: Partial<Reliance> = {}): Reliance => ({
  ...{ point: "publish", what: artifact.name, now, subject: artifact.digest, run: "r" },
  deciders: [attestId(factory.names().trustDomain)],
  ...more,
});
const refusal = (code: string) => expect.objectContaining({ code });

test("GT3: of a pass and a refusal in one second, the refusal counts", async () => {
  const [passed, failed] = [(await decided()).statement, (await decided("request.run == ''")).statement];
  for (const statements of [
    [passed, failed],
    [failed, passed],
  ]) {
    expect(() => reliedPublication(factory, artifact, { statements })).toThrow(refusal("GATE_DECISION_MISSING"));
  }
  expect(reliedPublication(factory, artifact, { statements: [passed] }).bundle).toBe(passed.bundle);
});

test("GT3: a passed decision about these inputs is relied on", async () => {
  const { statement, request } = await decided();
  expect(relyOn(statement, reliance({ request }))).toMatchObject({ point: "publish", bundle: statement.bundle });
});

test("GT3: none, a refusal, one of another point or decider are as good as none", async () => {
  const { statement } = await decided();
  const refused = await decided("false && request.run == ''");
  const missing = refusal("GATE_DECISION_MISSING");
  expect(() => relyOn(undefined, reliance())).toThrow(missing);
  expect(() => relyOn(refused.statement, reliance())).toThrow(missing);
  expect(() => relyOn(statement, reliance({ point: "deploy" }))).toThrow(missing);
  expect(() => relyOn(statement, reliance({ deciders: [builderId(factory.names().trustDomain)] }))).toThrow(missing);
});

test("GT3: a decision about another subject, another run or on other facts does not count here", async () => {
  const { statement } = await decided();
  const mismatch = refusal("GATE_DECISION_MISMATCH");
  expect(() => relyOn(statement, reliance({ subject: sha256("other") }))).toThrow(mismatch);
  expect(() => relyOn(statement, reliance({ run: "another" }))).toThrow(mismatch);
  expect(() => relyOn(statement, reliance({ request: sha256("other") }))).toThrow(mismatch);
});

test("GT3: a decision is relied on until it expires, and not at that moment", async () => {
  const { statement } = await decided();
  const { expires } = relyOn(statement, reliance());
  const end = Date.parse(expires);
  expect(end).toBeGreaterThan(now.getTime());
  expect(relyOn(statement, reliance({ now: new Date(end - 1) })).expires).toBe(expires);
  expect(() => relyOn(statement, reliance({ now: new Date(end) }))).toThrow(refusal("GATE_DECISION_EXPIRED"));
});
