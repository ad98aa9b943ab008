import { expect, test } from "vitest";
import { evaluationOf, explained } from "../cel.fixture.ts";

const a = {
  tier: "vm",
  steps: [
    { name: "build", network: "none" },
    { name: "test", network: "full" },
  ],
  level: 2,
};

test("K9: of a false &&, the side that was false is told, down to its operands", () => {
  expect(explained("a.tier == 'vm' && a.level >= 3", { a })).toEqual([
    "a.tier == 'vm' && a.level >= 3 = false",
    "a.level >= 3 = false",
    "a.level = 2",
  ]);
});

test("K9: of a false ||, every side is told; of a true one, the side that was true", () => {
  expect(explained("a.tier == 'bare' || a.level > 2", { a })).toEqual([
    "a.tier == 'bare' || a.level > 2 = false",
    "a.tier == 'bare' = false",
    'a.tier = "vm"',
    "a.level > 2 = false",
    "a.level = 2",
  ]);
  expect(explained("a.tier == 'bare' || a.level > 1", { a })).toEqual([
    "a.tier == 'bare' || a.level > 1 = true",
    "a.level > 1 = true",
    "a.level = 2",
  ]);
});

test("K9: of `all`, the element that failed is told with its part of the body", () => {
  expect(explained("a.steps.all(s, s.network == 'none')", { a })).toEqual([
    "a.steps.all(s, s.network == 'none') = false",
    'a.steps = [{"name": "build", "network": "none"}, {"name": "test", "network": "full"}]',
    's = {"name": "test", "network": "full"}',
    "s.network == 'none' = false",
    's.network = "full"',
  ]);
});

test("K9: of `exists`, the element that held is told; where none did, the range", () => {
  expect(explained("a.steps.exists(i, s, i > 0 && s.network == 'full')", { a })).toContain("i = 1");
  expect(explained("a.steps.exists(s, s.name == 'x')", { a })).toHaveLength(2);
});

test("K9: of an error, what had no value is told, and what the value was that it was asked of", () => {
  expect(explained("a.level == 2 && a.tier.name == 'x'", { a })).toEqual([
    "a.level == 2 && a.tier.name == 'x' = error: string has no fields; `name` was asked for",
    "a.tier.name == 'x' = error: string has no fields; `name` was asked for",
    "a.tier.name = error: string has no fields; `name` was asked for",
    'a.tier = "vm"',
  ]);
});

test("K9: of a choice, the condition and the branch that was taken", () => {
  expect(explained("a.level > 1 ? a.tier == 'x' : true", { a })).toEqual([
    "a.level > 1 ? a.tier == 'x' : true = false",
    "a.level > 1 = true",
    "a.level = 2",
    "a.tier == 'x' = false",
    'a.tier = "vm"',
  ]);
});

test("K9: bound values are told, `has` tells what it looked into", () => {
  expect(explained("cel.bind(n, a.level * 2, n == 5)", { a })).toContain("n = 4");
  expect(explained("has(a.nope)", { a: { b: 1 } })).toEqual(["has(a.nope) = false", 'a = {"b": 1}']);
  expect(explained("a.?tier.optMap(t, t == 'x').orValue(true)", { a })).toContain("t == 'x' = false");
});

test("K9: places are offsets in the source", () => {
  const source = "true && a.level == 3";
  const { explanation } = evaluationOf(source, { a });
  for (const { expression, from, to } of explanation) expect(source.slice(from, to)).toBe(expression);
  expect(explanation.map(({ from }) => from)).toEqual([0, 8, 8]);
});

test("K9: an explanation has at most fifty parts, and none where the budget was spent", () => {
  const many = Array.from({ length: 200 }, (_, index) => `a.level == ${index + 5}`).join(" || ");
  expect(evaluationOf(many, { a }).explanation).toHaveLength(50);
  expect(evaluationOf("[1, 2].all(x, x > 0) && a.level == 2", { a }, { cost: 3 }).explanation).toHaveLength(1);
});

test("K9: an evaluation is plain when it is copied", () => {
  const copy = structuredClone(evaluationOf("a.level == 3", { a }));
  expect(copy.explanation).toHaveLength(2);
  expect(Object.keys(copy)).toEqual(["outcome", "cost", "explanation"]);
});

test("K9: a constant rule is explained by its value", () => {
  expect(explained("1 == 2")).toEqual(["1 == 2 = false"]);
});
