import type { Policy, PolicyRule } from "@touchmark/formats/policy";
import { expect, test } from "vitest";
import { ask, codesOf, outcomesOf, policyOf, ruleOf, verdictOf } from "./decision.fixture.ts";

const judge = (rules: readonly PolicyRule[], parts: Partial<Policy> = {}, request = {}) =>
  ask(policyOf({ rules, ...parts }), { request });
const ruleIn = (decision: ReturnType<typeof ask>, id: string) =>
  verdictOf(decision).rules.find((rule) => rule.id === id);

test("D12: true passes; false denies with message, values and solution", () => {
  const solution = "Use less than three.";
  const parts = { message: "too many", solution, severity: "high", practices: ["RA-POL-02"] } as const;
  const decision = judge([ruleOf("few", "request.size < 3", parts), ruleOf("yes", "true")], {}, { size: 4 });
  expect(outcomesOf(decision)).toEqual({ few: "failed", yes: "passed" });
  expect(verdictOf(decision).denials).toEqual([
    { code: "POLICY_RULE_FAILED", message: "too many", solution, rule: "few" },
  ]);
  expect(ruleIn(decision, "few")).toMatchObject({
    message: "too many",
    solution,
    severity: "high",
    practices: ["RA-POL-02"],
  });
  expect(ruleIn(decision, "few")?.values).toContainEqual(
    expect.objectContaining({ expression: "request.size", value: "4" }),
  );
  expect(ruleIn(decision, "yes")).toMatchObject({ severity: "medium", values: [], practices: [] });
});

test("D12: an expression without a value, of another type, or that does not compile denies as an error", () => {
  for (const [expression, said] of [
    ["request.missing == 1", "CEL_NO_SUCH_FIELD"],
    ["1 / 0 == 1", "CEL_DIVIDE_BY_ZERO"],
    ["1 +", "CEL_SYNTAX"],
    ["nothing == 1", "CEL_UNKNOWN_VARIABLE"],
    ["attestations.absent.size() == 0", "CEL_NO_SUCH_FIELD"],
    ["1", "neither true nor false"],
    ['"true"', "neither true nor false"],
    ["null", "neither true nor false"],
  ] as const) {
    const decision = judge([ruleOf("odd", expression)]);
    expect(decision.result, expression).toBe("deny");
    expect(codesOf(decision), expression).toEqual(["POLICY_EVALUATION_ERROR"]);
    expect(verdictOf(decision).denials[0]?.message, expression).toContain(said);
    expect(outcomesOf(decision)).toEqual({ odd: "error" });
  }
});

test("D12: a message can be an expression; where that comes to nothing, the plain one stands", () => {
  const told = (messageExpression: string) =>
    ruleIn(judge([ruleOf("told", "false", { message: "plain", messageExpression })], {}, { n: 7 }), "told")?.message;
  expect(told('"found " + string(request.n)')).toBe("found 7");
  expect(told("request.missing")).toBe("plain");
  expect(told("7")).toBe("plain");
  expect(told('""')).toBe("plain");
  expect(told('"ab".replace("a", "x").replace("b", "y")')).toBe("xy");
  expect(ruleIn(judge([ruleOf("told", "false")]), "told")?.message).toBe("Rule told");
});

test("D13: a rule after a failed one is skipped, which denies; what comes first does not matter", () => {
  const rules = [
    ruleOf("third", "true", { dependsOn: ["second"] }),
    ruleOf("second", "true", { dependsOn: ["first"] }),
    ruleOf("first", "request.ok"),
  ];
  const decision = judge(rules, {}, { ok: false });
  expect(outcomesOf(decision)).toEqual({ first: "failed", second: "skipped", third: "skipped" });
  expect(codesOf(decision).toSorted()).toEqual(["POLICY_RULE_FAILED", "POLICY_RULE_SKIPPED", "POLICY_RULE_SKIPPED"]);
  expect(judge(rules, {}, { ok: true }).result).toBe("allow");
  expect(outcomesOf(judge(rules))).toMatchObject({ first: "error", second: "skipped" });
});

test("D13: rules in a circle, after themselves or after unknown ones are skipped", () => {
  const circle = [ruleOf("a", "true", { dependsOn: ["b"] }), ruleOf("b", "true", { dependsOn: ["a"] })];
  expect(outcomesOf(judge(circle))).toEqual({ a: "skipped", b: "skipped" });
  expect(outcomesOf(judge(circle.toReversed()))).toEqual({ a: "skipped", b: "skipped" });
  expect(codesOf(judge([ruleOf("self", "true", { dependsOn: ["self"] })]))).toEqual(["POLICY_RULE_SKIPPED"]);
  expect(codesOf(judge([ruleOf("lost", "true", { dependsOn: ["nobody"] })]))).toEqual(["POLICY_RULE_SKIPPED"]);
});

test("D13: ten thousand rules one after the other are judged without recursion", () => {
  const rules = Array.from({ length: 10_000 }, (_, i) =>
    ruleOf(`r${i}`, "true", i === 9999 ? {} : { dependsOn: [`r${i + 1}`] }),
  );
  expect(judge(rules).result).toBe("allow");
});

test("D14: before its day a failure is only announced, and stands in nobody's way", () => {
  const rules = [
    ruleOf("soon", "false", { effectiveOn: "2026-12-01T00:00:00Z" }),
    ruleOf("after", "true", { dependsOn: ["soon"] }),
  ];
  const decision = judge(rules);
  expect(decision.result).toBe("allow");
  expect(outcomesOf(decision)).toEqual({ soon: "pending", after: "passed" });
  expect(ruleIn(decision, "soon")).toMatchObject({ effectiveOn: "2026-12-01T00:00:00Z", message: "Rule soon" });
  const day = ask(policyOf({ rules }), { now: new Date("2026-12-01T00:00:00Z") });
  expect(codesOf(day)).toEqual(["POLICY_RULE_FAILED", "POLICY_RULE_SKIPPED"]);
  expect(codesOf(judge([ruleOf("odd", "false", { effectiveOn: "one day" })]))).toEqual(["POLICY_RULE_FAILED"]);
  expect(outcomesOf(judge([ruleOf("err", "request.x", { effectiveOn: "2026-12-01T00:00:00Z" })]))).toEqual({
    err: "pending",
  });
});

test("D15: collections add the library's rules; unknown ones and two rules of one id deny", () => {
  const library = judge([ruleOf("own", "true")], { collections: ["touchmark-default"] });
  expect(Object.keys(outcomesOf(library))).toContain("chain.whole");
  expect(codesOf(judge([], { collections: ["no-such-thing"] }))).toEqual(["POLICY_COLLECTION_UNKNOWN"]);
  expect(codesOf(judge([ruleOf("same", "true"), ruleOf("same", "1 == 1")]))).toEqual(["POLICY_RULE_AMBIGUOUS"]);
  const impostor = judge([ruleOf("chain.whole", "true")], { collections: ["touchmark-default"] });
  expect(codesOf(impostor)).toContain("POLICY_RULE_AMBIGUOUS");
});

test("D15: a copy of a library rule is that rule, whatever words it has", () => {
  const copy = ruleOf("chain.whole", "chain != null && chain.artifact.digest == subject.digest");
  const decision = judge([copy], { collections: ["touchmark-default"] });
  expect(codesOf(decision)).not.toContain("POLICY_RULE_AMBIGUOUS");
  expect(verdictOf(decision).rules.filter(({ id }) => id === "chain.whole")).toHaveLength(1);
});

test("D11: named expressions are computed in order and keep their types", () => {
  const variables = [
    { name: "half", expression: "1.0 / 2.0" },
    { name: "whole", expression: "vars.half + vars.half" },
    { name: "ages", expression: "[duration('1h'), duration('2h')]" },
    { name: "table", expression: "{1: 'one', 'x': 2.0}" },
  ];
  for (const expression of [
    "type(vars.whole) == double && vars.whole == 1.0",
    "vars.ages[1] - vars.ages[0] == duration('3600s')",
    "vars.table[1] == 'one' && type(vars.table['x']) == double",
    "vars.ages.all(a, type(a) == google.protobuf.Duration)",
  ]) {
    expect(codesOf(judge([ruleOf("typed", expression)], { variables })), expression).toEqual([]);
  }
});

test("D11: a named expression that fails is absent, and only rules that need it fail, and say why", () => {
  const variables = [
    { name: "lost", expression: "request.missing" },
    { name: "after", expression: "vars.lost + 1" },
    { name: "fine", expression: "1" },
  ];
  const decision = judge(
    [
      ruleOf("needs", "vars.lost == 1"),
      ruleOf("other", "vars.fine == 1"),
      ruleOf("absorbs", "true || vars.after == 1"),
    ],
    { variables },
  );
  expect(outcomesOf(decision)).toEqual({ needs: "error", other: "passed", absorbs: "passed" });
  expect(verdictOf(decision).denials[0]?.message).toContain("the variable lost has no value: CEL_NO_SUCH_FIELD");
});
