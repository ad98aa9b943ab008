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
