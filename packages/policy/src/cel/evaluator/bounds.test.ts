import { expect, test } from "vitest";
import { evaluationOf, worthOf } from "../cel.fixture.ts";
import type { CelInput } from "../value.ts";

const ten = "[0,1,2,3,4,5,6,7,8,9]";

test.each([
  ["six loops within each other", `${ten}.all(a, `.repeat(6) + "true" + ")".repeat(6)],
  ["sorting by a loop", `lists.range(3000).sortBy(x, lists.range(3000).all(y, y >= 0) ? x : 0)`],
  [
    "a set of lists against a set of lists",
    "sets.contains(lists.range(2000).map(x, [x]), lists.range(2000).map(x, [x]))",
  ],
  ["lists without equal elements", "lists.range(3000).map(x, [x]).distinct().size() > 0"],
  ["an error in each round", "lists.range(100000).exists(x, lists.range(100000).exists(y, {}.a))"],
])("K6: %s end by cost", (_, source) => {
  const { outcome, cost } = evaluationOf(source);
  expect(outcome).toMatchObject({ kind: "error", code: "CEL_COST" });
  expect(cost).toBeLessThan(1_100_000);
});

const doubled = (times: number, start: string, step: string): string =>
  `${Array.from({ length: times }, (_, index) => `cel.bind(x${index + 1}, ${step.replaceAll("x", `x${index}`)}, `)
    .join("")
    .replace("cel.bind(x1", `cel.bind(x0, ${start}, cel.bind(x1`)}x${times}.size()${")".repeat(times + 1)}`;

test.each([
  ["text that doubles 26 times", doubled(26, "'ab'", "x + x")],
  ["a list that doubles 30 times", doubled(30, "[1]", "x + x")],
  ["bytes that double 30 times", doubled(30, "b'a'", "x + x")],
  ["replacements that square", doubled(6, "'aaaaaaaaaa'", "x.replace('a', x)")],
  ["formats that double", doubled(30, "'ab'", "'%s%s'.format([x, x])")],
  ["joins that double", doubled(30, "'ab'", "[x, x].join('-')")],
  ["a range of a thousand million", "lists.range(1000000000).size()"],
  ["lists of lists that flatten", doubled(30, "[[1]]", "[x, x].flatten()")],
])("K6: %s end by memory", (_, source) => {
  expect(worthOf(source)).toBe("CEL_MEMORY");
});

test("K6: no operator makes up for a spent budget, and the limits are the caller's", () => {
  expect(worthOf(`${ten}.all(a, a >= 0) || true`, {}, { cost: 5 })).toBe("CEL_COST");
  expect(worthOf("a + a != '' || true", { a: "text" }, { memory: 4 })).toBe("CEL_MEMORY");
  expect(worthOf(`${ten}.all(a, a >= 0) || true`, {}, { cost: 500 })).toBe(true);
});

test("K6: comparing and searching long texts costs by their length", () => {
  const a = "a".repeat(1_000_000);
  expect(evaluationOf("a == b", { a, b: `${a.slice(1)}b` }).cost).toBeGreaterThan(100_000);
  expect(evaluationOf("a.contains('b')", { a }).cost).toBeGreaterThan(100_000);
  expect(worthOf("lists.range(1000).exists(x, a.contains('b'))", { a })).toBe("CEL_COST");
});

test.each(["^(a+)+$", "(a|a)*b", "(.*)*x", "(x+x+)+y"])("K7: %s is matched in linear time", (pattern) => {
  expect(worthOf("a.matches(p)", { a: `${"a".repeat(5_000)}!`, p: pattern })).toBe(false);
});

test.each([
  ["("],
  ["(?=a)"],
  ["(a)\\1"],
  ["a{2000}"],
  ["((a{100}){100}){100}"],
  ["a".repeat(1_001)],
  ["[ab]{999}".repeat(8)],
])("K7: the pattern %j is refused", (pattern) => {
  expect(worthOf("'a'.matches(p)", { p: pattern })).toBe("CEL_REGEX");
});

test("K7: patterns that are made while evaluating pay for being compiled, remembered or not", () => {
  const made = "lists.range(1000).all(x, 'a'.matches('[a-z]{999}' + string(x)) || true)";
  expect(worthOf(made)).toBe("CEL_COST");
  expect(worthOf("lists.range(1000).all(x, 'a'.matches('[a-z]{999}' + a) || true)", { a: "z" })).toBe("CEL_COST");
  expect(worthOf("lists.range(1000).all(x, 'a'.matches('[a-z]{999}') || true)")).toBe(true);
  expect(worthOf("lists.range(1000).all(x, 'a'.matches('[ab]{999}'.replace('b', a)) || true)", { a: "b" })).toBe(
    "CEL_COST",
  );
  expect(worthOf(`lists.range(1000).all(x, 'a'.matches('${"[ab]{999}".repeat(8)}') || true)`)).toBe("CEL_COST");
});

test("K7: matching costs by length of text and size of pattern", () => {
  const a = "a".repeat(100_000);
  const small = evaluationOf("a.matches('b')", { a }).cost;
  expect(evaluationOf("a.matches('(b|c){50}')", { a }).cost).toBeGreaterThan(5 * small);
  expect(worthOf("a.matches('([a-z]|[b-y]){200}$') || true", { a })).toBe("CEL_COST");
});

test("K10: values nested a hundred thousand levels deep are an error, not a crash", () => {
  let a: CelInput = {};
  let b: CelInput = {};
  for (let level = 0; level < 100_000; level += 1) {
    a = { a };
    b = { a: b };
  }
  const list = JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) as [];
  expect(worthOf("a == b", { a, b })).toBe("CEL_STACK");
  expect(typeof evaluationOf("a == l", { a, l: list }).explanation).toBe("object");
});
