import { canonicalJson, type Digest, sha256 } from "@touchmark/core";
import { type DecisionInput, decide, defaultPolicies } from "@touchmark/policy";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { prepareExpectations, readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyChain } from "@touchmark/verify/chain";
import { expect, test } from "vitest";
import { evaluationPool } from "./evaluation-pool.ts";
import { answerTo } from "./evaluation-thread.ts";

const never = new AbortController().signal;
const world = mintWorld();
const run = mintRun(world);
const rootBytes = trustedRootBytes(world);
const root = readTrustRoot(rootBytes);
const issuer = `https://${/^spiffe:\/\/([^/]+)/.exec(run.builder)?.[1] ?? ""}`;
const expected = prepareExpectations({ artifact: "unbound", identityPattern: "spiffe://.+", issuer });
const evidence = run.bundles().map((each) => verifyBundle(each, root, expected));
const chain = verifyChain(evidence, { artifact: run.artifact, builder: run.builder, source: run.source, issuer });
const now = new Date(world.at);
const input = (more: Partial<DecisionInput> = {}): DecisionInput => ({
  ...{ point: "deploy", subject: { name: "app", digest: run.artifact }, request: {}, policies: defaultPolicies(now) },
  ...{ layouts: [], evidence, chains: [chain], refused: new Map(), parameters: {}, now, issuer },
  ...more,
});

test("C18: a decision in a thread equals the one here: evidence and chains are verified there again, once", async () => {
  const content = new Map<Digest, Uint8Array>([...run.bundles(), rootBytes].map((each) => [sha256(each), each]));
  let asked = 0;
  const bytesOf = async (digest: Digest): Promise<Uint8Array> => {
    asked++;
    return content.get(digest) as Uint8Array;
  };
  const pool = await evaluationPool({ bytesOf, threads: 1, deadlineMs: 60_000 });
  const allowed = await pool.evaluate(input(), never);
  expect(allowed).toEqual(decide(input()));
  expect(allowed.result).toBe("allow");
  const first = asked;
  expect(first).toBe(content.size);
  const denied = await pool.evaluate(input({ chains: [] }), never);
  expect(denied).toEqual(decide(input({ chains: [] })));
  expect(denied.result).toBe("deny");
  expect(await pool.evaluate(input({ policies: [] }), never)).toEqual(decide(input({ policies: [] })));
  expect(asked).toBe(first);
  await pool.close();
});

test("C18: policies that change decide from the next question on, in the thread as here", async () => {
  const content = new Map<Digest, Uint8Array>([...run.bundles(), rootBytes].map((each) => [sha256(each), each]));
  const bytesOf = async (digest: Digest): Promise<Uint8Array> => content.get(digest) as Uint8Array;
  const pool = await evaluationPool({ bytesOf, threads: 1, deadlineMs: 60_000 });
  const [policy] = defaultPolicies(now);
  if (policy === undefined) throw new Error("the library has no policy");
  const rule = { id: "never", title: "Never", expression: "false" };
  const stricter = { ...policy, document: { ...policy.document, point: "deploy", rules: [rule] } } as typeof policy;
  // The same digest, to show that what is remembered goes by the content and not by what it says of itself.
  for (const policies of [[policy], [stricter], [policy], [stricter]]) {
    const decision = await pool.evaluate(input({ policies }), never);
    expect(decision).toEqual(decide(input({ policies })));
    expect(decision.result === "deny").toBe(policies[0] === stricter || policy.document.point !== "deploy");
  }
  await pool.close();
});

test("C18: bytes that are not those of the statement prove nothing in the thread either", () => {
  const [first, second] = run.bundles();
  if (first === undefined || second === undefined) throw new Error("the run has no statements");
  const { evidence: _, chains: __, policies, layouts, ...rest } = input();
  const documents = { policies, layouts };
  const [own] = evidence;
  const identity = own?.signer.kind === "certificate" ? own.signer.identity : "";
  const recipe = { bundle: sha256(first), trustRoot: sha256(rootBytes), identity, issuer };
  const ask = (bytes: Uint8Array, more: Partial<typeof recipe> = {}, standing = sha256(canonicalJson(documents))) =>
    answerTo({
      ...{ standing, documents },
      ...{ input: rest, evidence: [{ ...recipe, ...more }], chains: [] },
      content: new Map([
        [recipe.bundle, bytes],
        [recipe.trustRoot, rootBytes],
      ]),
    });
  expect(() => ask(mintRun(mintWorld()).bundles()[0] as Uint8Array)).toThrow();
  expect(() => ask(second, { bundle: sha256(first) })).toThrow();
  expect(() => ask(first, { identity: "spiffe://nobody.example/x" })).toThrow();
  expect(() => ask(first, {}, sha256("other documents"))).toThrow("other ones");
  expect(ask(first).kind).toBe("decision");
});

/** A question under one policy, whose rule is this module's. */
function askingModule(bytes: Uint8Array): DecisionInput {
  const module = sha256(bytes);
  const document: DecisionInput["policies"][number]["document"] = {
    ...{
      touchmark: "policy/v1" as const,
      point: "deploy" as const,
      name: "rego",
      version: 1,
      expires: "2099-01-01T00:00:00Z",
    },
    ...{ rules: [{ id: "rego", title: "Rego", rego: { module, entrypoint: "a/allow" } }] },
  };
  return input({
    policies: [{ digest: sha256(canonicalJson(document)), document }],
    modules: new Map([[module, bytes]]),
  });
}

test("C18: rules in Rego are judged in a thread alone, and one that does not end is ended there", async () => {
  const content = new Map<Digest, Uint8Array>([...run.bundles(), rootBytes].map((each) => [sha256(each), each]));
  const bytesOf = async (digest: Digest): Promise<Uint8Array> => content.get(digest) as Uint8Array;
  // `(module (import "env" "memory" (memory 1)) (func loop br 0 end) (start 0))`: it never ends.
  const endless = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 15, 1, 3, ...Buffer.from("env"), 6],
    ...[...Buffer.from("memory"), 2, 0, 1, 3, 2, 1, 0, 8, 1, 0, 10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b],
  ]);
  const question = askingModule(endless);
  expect(decide(question).verdicts[0]?.denials[0]).toMatchObject({ code: "POLICY_EVALUATION_ERROR" });
  const pool = await evaluationPool({ bytesOf, threads: 1, deadlineMs: 3000 });
  await expect(pool.evaluate(question, never)).rejects.toMatchObject({ code: "EVIDENCE_CACHE_EVALUATION_SLOW" });
  const text = Buffer.from("no module");
  await pool.close();
  const patient = await evaluationPool({ bytesOf, threads: 1, deadlineMs: 60_000 });
  const answer = await patient.evaluate(askingModule(text), never);
  expect(answer.verdicts[0]?.denials[0]?.message).toContain("REGO_MODULE");
  expect(answer.inputs.modules).toEqual([sha256(text)]);
  await patient.close();
});
