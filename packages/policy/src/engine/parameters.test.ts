import type { PolicyParameter } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { ask, codesOf, policyOf, ruleOf } from "./decision.fixture.ts";

const withParameter = (parameter: PolicyParameter, expression = "true") =>
  policyOf({ parameters: { wanted: parameter }, rules: [ruleOf("reads", expression)] });

test("D10: a value of the declared type reaches rules as that value", () => {
  for (const [type, value, expression] of [
    ["string", "x", "params.wanted == 'x'"],
    ["int", 3, "params.wanted + 1 == 4"],
    ["int", 3n, "params.wanted + 1 == 4"],
    ["bool", false, "!params.wanted"],
    ["duration", "1h30m", "duration(params.wanted) == duration('90m')"],
    ["list", ["a", "b"], "'b' in params.wanted"],
    ["map", { a: 1 }, "params.wanted.a == 1"],
  ] as const) {
    const decision = ask(withParameter({ type }, expression), { parameters: { wanted: value } });
    expect(codesOf(decision), type).toEqual([]);
  }
});

test("D10: values of other types are refused, of defaults too", () => {
  for (const [type, value] of [
    ["string", 3],
    ["int", "3"],
    ["int", 1.5],
    ["bool", "true"],
    ["duration", "soon"],
    ["duration", 60],
    ["list", { 0: "a" }],
    ["map", ["a"]],
    ["map", null],
    ["map", new Date(0)],
    ["string", null],
  ] as const) {
    const given = ask(withParameter({ type }), { parameters: { wanted: value } });
    expect(codesOf(given), type).toEqual(["POLICY_PARAMETER_WRONG"]);
    expect(codesOf(ask(withParameter({ type, default: value })))).toEqual(["POLICY_PARAMETER_WRONG"]);
  }
});

test("D10: one without value and default is missing; a default stands in; text is never an expression", () => {
  expect(codesOf(ask(withParameter({ type: "int" })))).toEqual(["POLICY_PARAMETER_MISSING"]);
  expect(ask(withParameter({ type: "int", default: 2 }, "params.wanted == 2")).result).toBe("allow");
  const injected = "' || true || '";
  const decision = ask(withParameter({ type: "string" }, "params.wanted == 'good'"), {
    parameters: { wanted: injected },
  });
  expect(codesOf(decision)).toEqual(["POLICY_RULE_FAILED"]);
});

test("D10: what a policy does not declare does not reach it, nor what objects have of themselves", () => {
  const sees = (name: string) =>
    ask(policyOf({ rules: [ruleOf("sees", `has(params.${name})`)] }), { parameters: { x: 1 } });
  expect(codesOf(sees("x"))).toEqual(["POLICY_RULE_FAILED"]);
  expect(codesOf(sees("constructor"))).toEqual(["POLICY_RULE_FAILED"]);
  const inherited = policyOf({
    parameters: { toString: { type: "string" as const } },
    rules: [ruleOf("reads", "true")],
  });
  expect(codesOf(ask(inherited))).toEqual(["POLICY_PARAMETER_MISSING"]);
});
