import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import type { PolicyRule } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { prepareVariables } from "../cel/index.ts";
import { Duration, Optional, Uint } from "../cel/runtime/values.ts";
import { ask, codesOf, outcomesOf, policyOf, ruleOf, SCAN, stated, verdictOf } from "../engine/decision.fixture.ts";
import { inputJson } from "./input-json.ts";

/** A module of the tests, as OPA compiled it (fixture/build.sh). */
function moduleBytes(name: "release" | "clock"): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(import.meta.dirname, "fixture", `${name}.wasm.gz`))));
}

const bytes = moduleBytes("release");
const module = sha256(bytes);
const modules = new Map([[module, bytes]]);
const limits = { outside: true };
const regoRule = (entrypoint: string, parts: Partial<PolicyRule> = {}): PolicyRule => ({
  ...{ id: entrypoint, title: "In Rego", rego: { module, entrypoint: `release/${entrypoint}` } },
  ...parts,
});
const policy = (...rules: readonly PolicyRule[]) =>
  policyOf({
    trust: { scanner: { identities: [{ identity: "spiffe://factory.test/scanner" }] } },
    attestations: { scan: { predicateType: SCAN, by: ["scanner"] } },
    parameters: { most: { type: "int", default: 0 } },
    rules,
  });
const evidence = (critical: number) => [stated({ critical })];

test("M3: a rule in Rego sees the variables of CEL and passes only by true; false and nothing fail it", () => {
  const rules = [regoRule("allow"), ruleOf("cel", "attestations.scan.all(s, s.predicate.critical <= params.most)")];
  const good = ask(policy(...rules), { evidence: evidence(0), modules, limits });
  expect(good.result).toBe("allow");
  expect(good.inputs.modules).toEqual([module]);
  const bad = ask(policy(...rules), { evidence: evidence(3), modules, limits });
  expect(outcomesOf(bad)).toEqual({ allow: "failed", cel: "failed" });
  const lenient = ask(policy(...rules), { evidence: evidence(3), parameters: { most: 3 }, modules, limits });
  expect(lenient.result).toBe("allow");
  const refused = ask(policy(regoRule("refused")), { evidence: evidence(0), modules, limits });
  expect(codesOf(refused)).toEqual(["POLICY_RULE_FAILED"]);
});

test("M3: every error of a module denies as POLICY_EVALUATION_ERROR and says its code", () => {
  const why = { text: "REGO_ANSWER", conflict: "REGO_ABORTED", nothing: "REGO_ENTRYPOINT", large: "REGO_ABORTED" };
  for (const [entrypoint, code] of Object.entries(why)) {
    const decision = ask(policy(regoRule(entrypoint)), { evidence: evidence(0), modules, limits });
    expect(codesOf(decision)).toEqual(["POLICY_EVALUATION_ERROR"]);
    expect(verdictOf(decision).denials[0]?.message).toContain(code);
  }
  const clock = moduleBytes("clock");
  const rule = regoRule("clock", { rego: { module: sha256(clock), entrypoint: "clock/allow" } });
  const given = { modules: new Map([[sha256(clock), clock]]), limits, evidence: evidence(0) };
  expect(verdictOf(ask(policy(rule), given)).denials[0]?.message).toContain("time.now_ns");
  const text = Buffer.from("no module");
  const strange = { ...given, modules: new Map([[sha256(text), text]]) };
  const named = regoRule("text", { rego: { module: sha256(text), entrypoint: "a" } });
  expect(verdictOf(ask(policy(named), strange)).denials[0]?.message).toContain("REGO_MODULE");
});

test("M4: a module that is missing, or whose bytes are others, denies by a code of its own", () => {
  const none = ask(policy(regoRule("allow")), { evidence: evidence(0), limits });
  expect(codesOf(none)).toEqual(["POLICY_MODULE_MISSING"]);
  expect(none.inputs).not.toHaveProperty("modules");
  const altered = bytes.slice();
  altered[altered.length - 1] = 0xff;
  // The right one first, so that a compiled module is known under the digest.
  expect(ask(policy(regoRule("allow")), { evidence: evidence(0), modules, limits }).result).toBe("allow");
  const other = ask(policy(regoRule("allow")), {
    evidence: evidence(0),
    modules: new Map([[module, altered]]),
    limits,
  });
  expect(codesOf(other)).toEqual(["POLICY_MODULE_MISSING"]);
});

test("M4: where nothing outside ends an evaluation, rules in Rego deny; a rule with both or neither denies", () => {
  for (const bounds of [{}, { outside: false }]) {
    const decision = ask(policy(regoRule("allow")), { evidence: evidence(0), modules, limits: bounds });
    expect(codesOf(decision)).toEqual(["POLICY_EVALUATION_ERROR"]);
    expect(verdictOf(decision).denials[0]?.message).toContain("thread");
  }
  const { rego: _, ...neither } = regoRule("allow");
  for (const rule of [regoRule("allow", { expression: "true" }), neither]) {
    const decision = ask(policy(rule), { evidence: evidence(0), modules, limits });
    expect(codesOf(decision)).toEqual(["POLICY_EVALUATION_ERROR"]);
  }
});

test("M4: its input costs as much as its characters, within what the decision may cost and its time", () => {
  const asked = (more: object) =>
    codesOf(ask(policy(regoRule("allow")), { evidence: evidence(0), modules, limits: { ...limits, ...more } }));
  expect(asked({})).toEqual([]);
  expect(asked({ cost: 10 })).toEqual(["POLICY_COST"]);
  expect(asked({ expressionCost: 10 })).toEqual(["POLICY_COST"]);
  expect(asked({ isOver: () => true })).toEqual(["POLICY_TIMEOUT"]);
});

test("M5: the input is JSON of the variables; what has no value is absent, what JSON cannot say is refused", () => {
  const text = (value: object) => inputJson(["v", "absent"], prepareVariables({ v: { ...value } }));
  const big = 9_007_199_254_740_993n;
  const when = new Date("2026-11-22T12:00:00Z");
  expect(text({ n: 1, big, when, half: 0.5, no: null, list: [true, "ä"], none: undefined })).toBe(
    `{"v":{"n":1,"big":${big},"when":"2026-11-22T12:00:00Z","half":0.5,"no":null,"list":[true,"ä"]}}`,
  );
  expect(inputJson(["b"], prepareVariables({ b: new Uint8Array([1, 2]) }))).toBe('{"b":"AQI="}');
  const own = prepareVariables({ u: new Uint(2n ** 64n - 1n), d: new Duration(1_500_000_000n), o: new Optional(3n) });
  expect(inputJson(["u", "d", "o"], own)).toBe('{"d":"1.5s","o":3,"u":18446744073709551615}');
  const deep = JSON.parse(`${'{"a":'.repeat(300)}1${"}".repeat(300)}`) as object;
  for (const value of [{ n: Number.NaN }, deep, { s: "x".repeat(5_000_000) }, { d: new Date(Number.NaN) }]) {
    expect(() => text(value)).toThrow(expect.objectContaining({ code: "REGO_INPUT" }));
  }
});
